#pragma once
/* OpenGL 3.3 core in three calls that say what went wrong. The context is current on this thread.
 */
#include <stdbool.h>

#include <epoxy/gl.h>

/* A linked program, or 0 with the driver's own words in err (DISPLAY_ERR_BYTES). The fragment
 * shader is the sources (count) one after the other. */
GLuint gl_program(const char *vertex_source, const char *const *fragment_sources, int count,
                  char *err);

/* A texture of width × height without mipmaps, clamped at its edges. filter: GL_NEAREST or
 * GL_LINEAR. */
GLuint gl_texture(GLint internal_format, int width, int height, GLenum format, GLenum type,
                  GLint filter, const void *pixels);

/* False with a sentence in err (DISPLAY_ERR_BYTES) when OpenGL has an error pending. */
bool gl_is_fine(const char *doing, char *err);
