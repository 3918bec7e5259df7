#include "render/gl.h"

#include <stdio.h>

#include "render/display.h"

static GLuint compile(GLenum stage, const char *const *sources, int count, char *err)
{
    GLuint shader = glCreateShader(stage);
    glShaderSource(shader, count, sources, NULL);
    glCompileShader(shader);
    GLint is_compiled;
    glGetShaderiv(shader, GL_COMPILE_STATUS, &is_compiled);
    if (is_compiled)
        return shader;
    char why[DISPLAY_ERR_BYTES - 64];
    glGetShaderInfoLog(shader, sizeof why, NULL, why);
    snprintf(err, DISPLAY_ERR_BYTES, "display: the driver refuses a shader: %s", why);
    glDeleteShader(shader);
    return 0;
}

GLuint gl_program(const char *vertex_source, const char *const *fragment_sources, int count,
                  char *err)
{
    GLuint vertex = compile(GL_VERTEX_SHADER, &vertex_source, 1, err);
    GLuint fragment = vertex ? compile(GL_FRAGMENT_SHADER, fragment_sources, count, err) : 0;
    GLuint program = 0;
    GLint is_linked = GL_FALSE;
    if (fragment) {
        program = glCreateProgram();
        glAttachShader(program, vertex);
        glAttachShader(program, fragment);
        glLinkProgram(program);
        glGetProgramiv(program, GL_LINK_STATUS, &is_linked);
    }
    if (fragment && !is_linked) {
        char why[DISPLAY_ERR_BYTES - 64];
        glGetProgramInfoLog(program, sizeof why, NULL, why);
        snprintf(err, DISPLAY_ERR_BYTES, "display: the driver cannot link a shader: %s", why);
        glDeleteProgram(program);
        program = 0;
    }
    glDeleteShader(vertex);
    glDeleteShader(fragment);
    return program;
}

GLuint gl_texture(GLint internal_format, int width, int height, GLenum format, GLenum type,
                  GLint filter, const void *pixels)
{
    GLuint texture;
    glGenTextures(1, &texture);
    glBindTexture(GL_TEXTURE_2D, texture);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, filter);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, filter);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_WRAP_S, GL_CLAMP_TO_EDGE);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_WRAP_T, GL_CLAMP_TO_EDGE);
    glTexImage2D(GL_TEXTURE_2D, 0, internal_format, width, height, 0, format, type, pixels);
    return texture;
}

bool gl_is_fine(const char *doing, char *err)
{
    GLenum error = glGetError();
    if (error == GL_NO_ERROR)
        return true;
    snprintf(err, DISPLAY_ERR_BYTES, "display: OpenGL error 0x%04x while %s", (unsigned)error,
             doing);
    return false;
}
