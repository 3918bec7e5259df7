#include "tests/harness.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/figure.h"
#include "app/plot.h"

/* Draws a line and returns the first bytes of the file in head (16). */
static bool draw(const char *name, char *head)
{
    char path[600], err[FIGURE_ERR_BYTES] = "";
    snprintf(path, sizeof path, "%s/%s", test_folder("figure"), name);
    Figure *figure = figure_open(path, 100.0, 50.0, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(figure);
    plot_line(figure_cairo(figure), plot_on_paper.ink, 1.0, 0.0, 0.0, 100.0, 50.0);
    bool ok = figure_close(figure, err);
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    ok = fread(head, 1, 16, file) == 16 && ok;
    fclose(file);
    snprintf(path, sizeof path, "%s/%s.part", test_folder("figure"), name);
    return ok && access(path, F_OK) != 0;
}

static void the_ending_of_the_name_decides_the_kind(void)
{
    char head[16];
    CU_ASSERT(draw("a.png", head));
    CU_ASSERT(memcmp(head, "\211PNG", 4) == 0);
    CU_ASSERT(draw("a.pdf", head));
    CU_ASSERT(memcmp(head, "%PDF", 4) == 0);
    CU_ASSERT(draw("a.svg", head));
    CU_ASSERT(memcmp(head, "<?xml", 5) == 0);
}

static void a_name_without_a_known_ending_is_refused(void)
{
    char err[FIGURE_ERR_BYTES] = "";
    CU_ASSERT_PTR_NULL(figure_open("somewhere/a.jpg", 100.0, 50.0, err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "a.jpg"));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, ".svg"));
}

static void a_folder_that_is_not_there_is_told(void)
{
    static const char *const names[] = {"/nowhere/a.png", "/nowhere/a.svg", "/nowhere/a.pdf"};
    for (int i = 0; i < 3; i++) {
        char err[FIGURE_ERR_BYTES] = "";
        Figure *figure = figure_open(names[i], 100.0, 50.0, err);
        CU_ASSERT(!figure || !figure_close(figure, err));
        CU_ASSERT_PTR_NOT_NULL(strstr(err, names[i]));
    }
}

static const TestCase cases[] = {
    {"the ending of the name decides the kind", the_ending_of_the_name_decides_the_kind},
    {"a name without a known ending is refused", a_name_without_a_known_ending_is_refused},
    {"a folder that is not there is told", a_folder_that_is_not_there_is_told},
};

int main(void)
{
    return test_main("figure", cases, sizeof cases / sizeof cases[0]);
}
