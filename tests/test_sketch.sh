#!/bin/sh
# The microcontroller's sketch, compiled for this machine behind a board made of paper, does what
# rig/cdc_packet.h says of it.
set -eu
command -v g++ >/dev/null || { echo "no g++"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cat >"$dir/board.cpp" <<'BOARD'
// Script on stdin: "t US" time passes, "b HH" a byte arrives, "i PIN LEVEL" an input changes.
#include <cstdint>
#include <cstdio>
enum { OUTPUT, INPUT, CHANGE };
static uint32_t now_us = 0;
static int level[64], incoming = -1, port = 0;
static void (*handler[64])();
static uint32_t micros() { return now_us; }
static void pinMode(int, int) {}
static int digitalRead(int pin) { return level[pin]; }
static void digitalWrite(int pin, int value) { level[pin] = value; }
static int digitalPinToInterrupt(int pin) { return pin; }
static void attachInterrupt(int pin, void (*run)(), int) { handler[pin] = run; }
static struct {
    void begin(long) {}
    int available() { return incoming >= 0; }
    int read() { int byte = incoming; incoming = -1; return byte; }
    void write(const uint8_t *bytes, unsigned count)
    {
        std::printf("%u:", now_us);
        for (unsigned i = 0; i < count; i++)
            std::printf(" %02x", bytes[i]);
        std::printf("\n");
    }
} Serial;
#include "sketch.ino"
static void look()
{
    int now = 0;
    for (int i = 0; i < 8; i++)
        now |= level[OUTPUTS[i]] << i;
    if (now != port)
        std::printf("%u: port %02x\n", now_us, now);
    port = now;
}
int main()
{
    char what;
    unsigned a, b;
    setup();
    while (std::scanf(" %c", &what) == 1) {
        if (what == 't' && std::scanf("%u", &a) == 1)
            for (unsigned end = now_us + a; now_us < end; now_us++, loop(), look())
                continue;
        else if (what == 'b' && std::scanf("%x", &a) == 1)
            incoming = (int)a;
        else if (what == 'i' && std::scanf("%u %u", &a, &b) == 2)
            level[a] = (int)b, handler[a]();
        loop();
        look();
    }
}
BOARD
cp rig/retrace_trigger.ino "$dir/sketch.ino"
g++ -std=c++14 -Wall -Wextra -Werror -I"$dir" -o "$dir/board" "$dir/board.cpp"
printf '%s\n' 't 100' 'b 5a' 't 600' 'b fd' 'b 02' 'b 03' 't 600' 'b fe' 'b 14' 'b fc' 'b ff' 't 300' \
    'i 16 1' 'b ff' 't 5' 'i 16 0' 'b fd' 'b 00' 't 1' | "$dir/board" >"$dir/got"
cat >"$dir/wanted" <<'WANTED'
100: port 5a
600: port 00
700: port 02
700: port 03
1200: port 02
1300: port ff
1500: port 02
1600: 45 82 40 06 00 00
1600: 53 04 40 06 00 00
1605: 45 02 45 06 00 00
1605: port 00
WANTED
diff "$dir/wanted" "$dir/got" && echo "the sketch does what the protocol says"
