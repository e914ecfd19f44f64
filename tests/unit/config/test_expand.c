/* SPDX-License-Identifier: Apache-2.0 */
#include "config_test.h"

static const char *const env[] = {"A=x",
                                  "N=10",
                                  "ZERO=0123",
                                  "EMPTY=",
                                  "NULL=null",
                                  "TRUE=true",
                                  "QUOTED=\"true\"",
                                  "LIST=[1, '${A}']",
                                  "MAP={k: '${N}'}",
                                  "NAME=A",
                                  "URL=http://${HOST}:1",
                                  "HOST=h${A}",
                                  "DOLLARS=a$$b",
                                  "BAD=[x",
                                  "ANCHOR=&x y",
                                  "DEEP=${CHAIN}",
                                  "CHAIN=${N}",
                                  "SELF=${SELF}",
                                  "LOOP=a${LOOP}b",
                                  "DOUBLE=${DOUBLE2}${DOUBLE2}",
                                  "DOUBLE2=${DOUBLE}${DOUBLE}",
                                  "LINES=a\nb",
                                  "TAIL=$",
                                  NULL};

/* Printing writes what would be expanded again with one more $. */
static void expand_values(void **state)
{
    static const struct {
        const char *text, *yaml;
    } cases[] = {
        {"v: ${env:A}", "v: x\n"},
        {"v: ${A}", "v: x\n"},
        {"v: ${env:N}", "v: 10\n"},
        {"v: \"${env:N}\"", "v: 10\n"},
        {"v: ${env:ZERO}", "v: 0123\n"},
        {"v: ${env:NULL}", "v: null\n"},
        {"v: ${env:QUOTED}", "v: \"true\"\n"},
        {"v: ${env:EMPTY}", "v: null\n"},
        {"v: ${env:EMPTY:-d}", "v: null\n"},
        {"v: ${env:NONE:-d}", "v: d\n"},
        {"v: ${env:NONE:-}", "v: null\n"},
        {"v: ${env:NONE:-[a, b]}", "v:\n  - a\n  - b\n"},
        {"v: ${env:NONE:-a:-b}", "v: a:-b\n"},
        {"v: ${env:LIST}", "v:\n  - 1\n  - x\n"},
        {"v: ${env:MAP}", "v:\n  k: 10\n"},
        {"v: ${env:BAD}", "v: \"[x\"\n"},
        {"v: ${env:ANCHOR}", "v: \"&x y\"\n"},
        {"v: ${env:LINES}", "v: a b\n"},
        {"v: ${env:DEEP}", "v: 10\n"},
        {"v: ${env:${NAME}}", "v: x\n"},
        {"v: ${env:NONE:-${env:A}y}", "v: xy\n"},
        {"v: ${env:URL}", "v: http://hx:1\n"},
        {"v: http://${env:HOST}:4318", "v: http://hx:4318\n"},
        {"v: ${A}${N}", "v: x10\n"},
        {"v: ${N}${N}", "v: 1010\n"},
        {"v: a${EMPTY}b", "v: ab\n"},
        {"v: a${env:NONE:-}b", "v: ab\n"},
        {"v: $$", "v: \"$\"\n"},
        {"v: $${A}", "v: \"$${A}\"\n"},
        {"v: $${A} ${N}", "v: \"$${A} 10\"\n"},
        {"v: $$$${A}", "v: \"$$$${A}\"\n"},
        {"v: $$${A}", "v: \"$x\"\n"},
        {"v: $1", "v: \"$1\"\n"},
        {"v: $$1", "v: \"$1\"\n"},
        {"v: $A", "v: \"$A\"\n"},
        {"v: a}b", "v: \"a}b\"\n"},
        {"v: a${A", "v: \"a$${A\"\n"},
        {"v: ${env:DOLLARS}", "v: \"a$b\"\n"},
        {"v: ${TAIL}{A}", "v: \"$${A}\"\n"},
        {"v: ${TAIL}$1", "v: \"$$$1\"\n"},
        {"${A}: 1", "\"${A}\": 1\n"},
        {"v: ['${A}', {w: \"${N}s\"}]", "v:\n  - x\n  - w: 10s\n"},
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        struct loaded l;
        load_str(&l, tt_str(cases[i].text), env);
        check_text(cases[i].text, problems(&l), "");
        check_text(cases[i].text, yaml_of(&l), cases[i].yaml);
        unload(&l);
    }
}

static void expand_keeps_the_original_text(void **state)
{
    static const struct {
        const char *text, *original; /* NULL: none */
    } cases[] = {
        {"v: ${ZERO}", "0123"},       {"v: ${QUOTED}", "\"true\""}, {"v: ${EMPTY}", ""},
        {"v: ${NULL}", "null"},       {"v: ${LIST}", "[1, 'x']"},   {"v: ${URL}", "http://hx:1"},
        {"v: ${LINES}", "a\nb"},      {"v: ${DEEP}", "10"},         {"v: ${NONE:x}", NULL},
        {"v: ${env:NONE}", NULL},     {"v: x${ZERO}", NULL},        {"v: 0123", NULL},
        {"v: ${env:NONE:-07}", "07"},
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        struct loaded l;
        load_str(&l, tt_str(cases[i].text), env);
        check_case(cases[i].text,
                   (at(&l, "v")->original.data == NULL) == (cases[i].original == NULL));
        if (cases[i].original != NULL)
            check_text(cases[i].text, at(&l, "v")->original, cases[i].original);
        unload(&l);
    }
}

static void expand_problems(void **state)
{
    static const struct {
        const char *text, *problems;
        bool ok;
    } cases[] = {
        {"v: ${env:NONE}",
         "c.yaml:1:4: warning: v: environment variable \"NONE\" is not set; write ${env:NONE:-…} for a "
         "default\n",
         true},
        {"v: [1, 'a${NONE}b']",
         "c.yaml:1:8: warning: v[1]: environment variable \"NONE\" is not set; write ${env:NONE:-…} for "
         "a default\n",
         true},
        {"v: ${1}",
         "c.yaml:1:4: v: environment variable \"1\" has invalid name: letters, digits and _ are allowed; "
         "write $${ for a literal ${\n",
         false},
        {"v: ${}",
         "c.yaml:1:4: v: environment variable has invalid name: letters, digits and _ are allowed; write "
         "$${ for a literal ${\n",
         false},
        {"v: ${env:s3-cr3t}",
         "c.yaml:1:4: v: environment variable has invalid name: letters, digits and _ are allowed; write "
         "$${ for a literal ${\n",
         false},
        {"v: ${env:A$x}", "c.yaml:1:4: v: unsupported characters ('$') inside of ${…}\n", false},
        {"v: ${NAME:-d}",
         "c.yaml:1:4: v: only ${env:NAME}, ${env:NAME:-default} and ${NAME} are supported; write $${ for "
         "a literal ${\n",
         false},
        {"v: ${file:/etc/passwd}",
         "c.yaml:1:4: v: only ${env:NAME}, ${env:NAME:-default} and ${NAME} are supported; write $${ for "
         "a literal ${\n",
         false},
        {"v: ${SELF}", "c.yaml:1:4: v: too many recursive expansions: over 10,000 of ${…}\n",
         false},
        {"v: x${SELF}", "c.yaml:1:4: v: too many recursive expansions: over 10,000 of ${…}\n",
         false},
        {"v: ${LOOP}",
         "c.yaml:1:4: v: too many recursive expansions: contents of variables that name variables, 64 "
         "deep\n",
         false},
        {"v: ${DOUBLE}",
         "c.yaml:1:4: v: too many recursive expansions: contents of variables that name variables, 64 "
         "deep\n",
         false},
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        struct loaded l;
        load_str(&l, tt_str(cases[i].text), env);
        check_text(cases[i].text, problems(&l), cases[i].problems);
        check_case(cases[i].text, l.ok == cases[i].ok);
        unload(&l);
    }
}

static void unset_without_default_is_null(void **state)
{
    struct loaded l;

    (void)state;
    load_str(&l, TT_STR("v: ${NONE}\nw: a${NONE}b\n"), env);
    assert_str(yaml_of(&l), "v: null\nw: ab\n");
    unload(&l);
}

static const char *env_of_bombs(void *context, const char *name)
{
    const struct tt_buffer *large = (const struct tt_buffer *)context;

    if (strcmp(name, "LARGE") == 0)
        return large->data;
    if (strcmp(name, "LAUGH") == 0)
        return "[${LAUGH},${LAUGH},${LAUGH},${LAUGH}]";
    return NULL;
}

/* "v: [${LARGE}, ${LARGE}, …]" and the like stay within the budgets. */
static void expand_survives_bombs(void **state)
{
    static const struct {
        const char *piece, *problem;
        size_t count;
    } bombs[] = {
        {"${LARGE}", "${…} expands to over 4 MiB\n", 100},
        {"x${LARGE}${LARGE}${LARGE}${LARGE}${LARGE}${LARGE}${LARGE}${LARGE}${LARGE}",
         "a value expands to over 1 MiB\n", 1},
        {"${LAUGH}", "\n", 1},
        {"${${${${${${${${${${${${${${${${${${${${${${${${${${${${${${${${${${${",
         "over 32 ${ inside of each other\n", 1},
    };
    struct tt_buffer large;

    (void)state;
    tt_buffer_init(&large, 1 << 20);
    for (size_t i = 0; i < 130000; i++)
        tt_buffer_append_byte(&large, 'x');
    tt_buffer_append_byte(&large, '\0');
    for (size_t i = 0; i < TT_LENGTH(bombs); i++) {
        struct loaded l;
        struct tt_buffer text;
        tt_buffer_init(&text, 1 << 20);
        for (size_t n = 0; n < bombs[i].count; n++)
            tt_buffer_printf(&text, "k%zu: \"%s\"\n", n, bombs[i].piece);
        load(&l, "");
        check_case(bombs[i].piece, !tt_tree_merge_text(l.tree, "c.yaml", tt_buffer_view(&text),
                                                       env_of_bombs, &large, &l.diags));
        check_case(bombs[i].piece, tt_str_ends_with(problems(&l), tt_str(bombs[i].problem)));
        unload(&l);
        tt_buffer_done(&text);
    }
    tt_buffer_done(&large);
}

static void document_may_come_from_a_variable(void **state)
{
    static const char *const document[] = {"DOC=a: 1\nb: {c: '${N}'}", "N=5", NULL};
    struct loaded l;

    (void)state;
    load_str(&l, TT_STR("${env:DOC}"), document);
    assert_str(yaml_of(&l), "a: 1\nb:\n  c: 5\n");
    unload(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expand_values),
        cmocka_unit_test(expand_keeps_the_original_text),
        cmocka_unit_test(expand_problems),
        cmocka_unit_test(unset_without_default_is_null),
        cmocka_unit_test(expand_survives_bombs),
        cmocka_unit_test(document_may_come_from_a_variable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
