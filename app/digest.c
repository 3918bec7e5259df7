#include "app/digest.h"

#include <stdio.h>

#include <sodium.h>

bool digest_file(const char *path, char *hex)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    unsigned char block[65536];
    size_t bytes;
    while ((bytes = fread(block, 1, sizeof block, file)) > 0)
        crypto_hash_sha256_update(&state, block, bytes);
    bool is_read = !ferror(file);
    fclose(file);
    unsigned char digest[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_final(&state, digest);
    sodium_bin2hex(hex, DIGEST_BYTES, digest, sizeof digest);
    return is_read;
}
