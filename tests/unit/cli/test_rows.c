/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "tt_test.h"

/* train, score, evaluate outliers and evaluate labels with every allocation failing in turn, in one process. */

enum { MAX_ARGUMENTS = 16, MAX_ALLOCATIONS = 20000 };

struct folder {
    struct tt_temp_dir dir;
    char data[768], model[768], scored[768], picture[768];
};

static void make_folder(struct folder *folder)
{
    char text[2048];
    size_t len = (size_t)snprintf(text, sizeof(text), "trace_id,a,b,label,anomaly_type\n");

    for (int i = 0; i < 40; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "t%d,%d,\"%d\",%d,%s\n", i / 3,
                                i == 7 ? 900 : i % 5, i, i == 7, i == 7 ? "cpu" : "none");
    tt_temp_dir_make(&folder->dir);
    tt_test_write_file(tt_temp_path(&folder->dir, "d.csv", folder->data), tt_str_of(text, len));
    (void)tt_temp_path(&folder->dir, "m.json", folder->model);
    (void)tt_temp_path(&folder->dir, "s.csv", folder->scored);
    (void)tt_temp_path(&folder->dir, "p.svg", folder->picture);
}

/* Runs a command without its output. */
static int run(const char *const *arguments)
{
    char *copies[MAX_ARGUMENTS] = {NULL};
    int count = 0, out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO), code;
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

    assert_true(out >= 0 && err >= 0 && nowhere >= 0);
    for (; arguments[count] != NULL; count++)
        copies[count] = strdup(arguments[count]);
    (void)fflush(stdout);
    assert_true(dup2(nowhere, STDOUT_FILENO) >= 0 && dup2(nowhere, STDERR_FILENO) >= 0);
    code = tt_cli_main(count, copies);
    assert_true(dup2(out, STDOUT_FILENO) >= 0 && dup2(err, STDERR_FILENO) >= 0);
    (void)close(out);
    (void)close(err);
    (void)close(nowhere);
    for (int i = 0; i < count; i++)
        free(copies[i]);
    return code;
}

/* Fails with each allocation in turn until there are no more; what it would write is there at the end only. */
static void walk(const char *const *arguments, const char *output)
{
    int code = TT_EXIT_FAILED;
    uint64_t n = 0;

    while (code != TT_EXIT_DONE) {
        assert_true(++n < MAX_ALLOCATIONS);
        if (output != NULL)
            (void)unlink(output);
        tt_mem_fail_after(n);
        code = run(arguments);
        tt_mem_fail_after(0);
        if (code != TT_EXIT_DONE)
            assert_int_equal(code, TT_EXIT_FAILED);
        /* A model may be in place when only the words about it could not be said. */
    }
    assert_true(n > 10);
    if (output != NULL)
        assert_int_equal(access(output, R_OK), 0);
}

static void commands_end_well_whichever_allocation_fails(void **state)
{
    struct folder f;

    (void)state;
    make_folder(&f);
    walk((const char *const[]){"telltale", "train", "--data", f.data, "--out", f.model, "--trees",
                               "3", "--json", NULL},
         f.model);
    walk((const char *const[]){"telltale", "score", "--model", f.model, "--data", f.data, "--out",
                               f.scored, "--explain=all", "--json", NULL},
         f.scored);
    walk((const char *const[]){"telltale", "evaluate", "labels", f.scored, "--json", NULL}, NULL);
    walk((const char *const[]){"telltale", "evaluate", "outliers", "--data", f.data, "--seeds", "1",
                               "--trees=3", "--plot", f.picture, NULL},
         f.picture);
    tt_temp_dir_remove(&f.dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_end_well_whichever_allocation_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
