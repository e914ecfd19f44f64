/* SPDX-License-Identifier: Apache-2.0 */
#include "config_test.h"
#include "sample.h"

struct decoded {
    struct loaded l;
    struct tt_arena arena;
    struct sample sample;
    bool ok;
};

static const char *const env[] = {"TRUE=true",   "NUM=0123", "TEN=10", "EMPTY=", "MAP={a: b}",
                                  "LIST=[x, y]", "CSV=p,q",  "DUR=5s", NULL};

static void decode(struct decoded *d, const char *text)
{
    load_str(&d->l, tt_str(text), env);
    tt_arena_init(&d->arena, 0, 0);
    d->ok = tt_config_decode(&sample_schema, tt_node_get(d->l.tree->root, TT_STR("e")),
                             "exporters.sample/x", &d->arena, &d->sample, &d->l.diags);
}

static void done(struct decoded *d)
{
    tt_arena_done(&d->arena);
    unload(&d->l);
}

static void decode_fills_defaults(void **state)
{
    struct decoded d;

    (void)state;
    decode(&d, "e: {path: x}");
    assert_str(problems(&d.l), "");
    assert_true(d.ok);
    assert_string_equal(d.sample.path, "x");
    assert_true(d.sample.append);
    assert_int_equal(d.sample.port, 4318);
    assert_true(d.sample.threshold > 0.49 && d.sample.threshold < 0.51);
    assert_int_equal(d.sample.timeout, 10 * TT_SECOND);
    assert_int_equal(d.sample.max_bytes, 64 << 20);
    assert_int_equal(d.sample.on_missing, 1);
    assert_int_equal(d.sample.names.count, 2);
    assert_string_equal(d.sample.names.items[1], "b");
    assert_int_equal(d.sample.headers.count, 0);
    assert_null(d.sample.token);
    assert_int_equal(d.sample.rotation.max_backups, 100);
    assert_int_equal(d.sample.rotation.max_age, 86400 * TT_SECOND);
    assert_false(d.sample.limits.present);
    done(&d);
}

static void decode_reads_every_type(void **state)
{
    struct decoded d;

    (void)state;
    decode(&d, "e:\n"
               "  path: \"12\"\n"
               "  append: false\n"
               "  port: 1\n"
               "  threshold: 1\n"
               "  timeout: 1m30s\n"
               "  max_bytes: \"2 KiB\"\n"
               "  on_missing: drop\n"
               "  names: [x, 1, true, 'y']\n"
               "  headers: {B: 1, A: x}\n"
               "  rotation: {max_age: 1h, tags: {k: v}}\n"
               "  limits: {memory: 8KiB, ratio: -5e3}\n");
    assert_str(problems(&d.l), "");
    assert_true(d.ok);
    assert_string_equal(d.sample.path, "12");
    assert_false(d.sample.append);
    assert_int_equal(d.sample.port, 1);
    assert_int_equal(d.sample.timeout, 90 * TT_SECOND);
    assert_int_equal(d.sample.max_bytes, 2048);
    assert_int_equal(d.sample.on_missing, 2);
    assert_int_equal(d.sample.names.count, 4);
    assert_string_equal(d.sample.names.items[2], "true");
    assert_int_equal(d.sample.headers.count, 2);
    assert_string_equal(d.sample.headers.items[0].key, "B");
    assert_string_equal(d.sample.headers.items[0].value, "1");
    assert_string_equal(d.sample.rotation.tags.items[0].value, "v");
    assert_true(d.sample.limits.present);
    assert_int_equal(d.sample.limits.memory, 8192);
    done(&d);
}

static void decode_reads_what_came_from_variables(void **state)
{
    struct decoded d;

    (void)state;
    decode(&d, "e:\n"
               "  path: ${NUM}\n"
               "  token: ${EMPTY}\n"
               "  append: \"${TRUE}\"\n"
               "  port: \"${TEN}00\"\n"
               "  timeout: ${DUR}\n"
               "  names: ${CSV}\n"
               "  keys: ${LIST}\n"
               "  headers: ${MAP}\n"
               "  old_path: ${MAP}\n");
    assert_str(problems(&d.l),
               "c.yaml:10:3: warning: exporters.sample/x.old_path: is deprecated: Use "
               "path.\n");
    assert_true(d.ok);
    assert_string_equal(d.sample.path, "0123");
    assert_string_equal(d.sample.token, "");
    assert_true(d.sample.append);
    assert_int_equal(d.sample.port, 1000);
    assert_int_equal(d.sample.timeout, 5 * TT_SECOND);
    assert_string_equal(d.sample.names.items[1], "q");
    assert_string_equal(d.sample.keys.items[1], "y");
    assert_string_equal(d.sample.headers.items[0].value, "b");
    assert_string_equal(d.sample.old_path, "{a: b}");
    done(&d);
}

static void decode_null_means_not_given(void **state)
{
    struct decoded d;

    (void)state;
    decode(&d,
           "e: {path: x, port: , names: ~, rotation: null, limits: null, max_bytes: '${EMPTY}'}");
    assert_str(problems(&d.l),
               "c.yaml:1:48: exporters.sample/x.limits.memory: is required and missing (size)\n");
    assert_int_equal(d.sample.port, 4318);
    assert_int_equal(d.sample.names.count, 2);
    assert_int_equal(d.sample.rotation.max_backups, 100);
    assert_true(d.sample.limits.present);
    assert_int_equal(d.sample.max_bytes, 64 << 20);
    done(&d);
}

/* Each text is the body of "e: {path: x, …}" but for the path; the option under test begins at column 14. */
static void decode_refuses(void **state)
{
    static const struct {
        const char *option, *problem;
    } cases[] = {
        {"append: \"true\"", "append: \"true\" in quotes is text; write it without quotes"},
        {"append: yes", "append: \"yes\" is not a boolean; write true or false"},
        {"append: 1", "append: \"1\" is not a boolean; write true or false"},
        {"append: []", "append: a list is not a boolean; write true or false"},
        {"port: \"1\"", "port: \"1\" is not a whole number; write e.g. 10, without quotes"},
        {"port: 1.5", "port: \"1.5\" is not a whole number; write e.g. 10, without quotes"},
        {"port: 0123", "port: \"0123\" is not a whole number; write e.g. 10, without quotes"},
        {"port: 99999999999999999999",
         "port: \"99999999999999999999\" is not a whole number; write e.g. 10, without quotes"},
        {"port: 0", "port: \"0\" is out of range; allowed: 1 to 65535"},
        {"port: 65536", "port: \"65536\" is out of range; allowed: 1 to 65535"},
        {"port: -1", "port: \"-1\" is out of range; allowed: 1 to 65535"},
        {"port: {}", "port: a map is not a whole number; write e.g. 10, without quotes"},
        {"threshold: 1.01", "threshold: \"1.01\" is out of range; allowed: 0 to 1"},
        {"threshold: .nan", "threshold: \".nan\" is not a number; write e.g. 0.5, without quotes"},
        {"threshold: 1e999",
         "threshold: \"1e999\" is not a number; write e.g. 0.5, without quotes"},
        {"timeout: 10",
         "warning: X.timeout: \"10\" without a unit is nanoseconds; write e.g. 500ms, "
         "10s, 1m30s\nc.yaml:1:Y: X.timeout: \"10\" is out of range; allowed: 1ms to 1h"},
        {"timeout: \"10\"", "timeout: \"10\" is not a duration; write e.g. 500ms, 10s, 1m30s"},
        {"timeout: 10x", "timeout: \"10x\" is not a duration; write e.g. 500ms, 10s, 1m30s"},
        {"timeout: 1e99", "timeout: \"1e99\" is not a duration; write e.g. 500ms, 10s, 1m30s"},
        {"timeout: -1s", "timeout: \"-1s\" is out of range; allowed: 1ms to 1h"},
        {"timeout: 0", "timeout: \"0\" is out of range; allowed: 1ms to 1h"},
        {"max_bytes: 10 MiBs", "max_bytes: \"10 MiBs\" is not a size; write e.g. 64KiB, 64MiB"},
        {"max_bytes: -1", "max_bytes: \"-1\" is not a size; write e.g. 64KiB, 64MiB"},
        {"max_bytes: 1e99", "max_bytes: \"1e99\" is not a size; write e.g. 64KiB, 64MiB"},
        {"max_bytes: 99999999999TiB",
         "max_bytes: \"99999999999TiB\" is not a size; write e.g. 64KiB, 64MiB"},
        {"max_bytes: 2GiB", "max_bytes: \"2GiB\" is out of range; allowed: 1KiB to 1GiB"},
        {"on_missing: nomal",
         "on_missing: \"nomal\" is not one of: normal, unknown, drop; did you mean \"normal\"?"},
        {"on_missing: Drop",
         "on_missing: \"Drop\" is not one of: normal, unknown, drop; did you mean \"drop\"?"},
        {"on_missing: explode", "on_missing: \"explode\" is not one of: normal, unknown, drop"},
        {"on_missing: [drop]", "on_missing: a list is not one of: normal, unknown, drop"},
        {"old_path: 5",
         "warning: X.old_path: is deprecated: Use path.\nc.yaml:1:Y: X.old_path: \"5\" "
         "without quotes is a number; write it in quotes"},
        {"names: \"a,,b\"", "names: \"a,,b\" has an empty item"},
        {"names: {a: b}", "names: a map is not a list; write [a, b]"},
        {"names: [[a]]", "names: a list is not text"},
        {"names: [~]", "names: null is not text; write \"\" for an empty one"},
        {"headers: [a]", "headers: a list is not a map; write key: value lines"},
        {"headers: {a: {}}", "headers: a map is not text"},
        {"rotation: 5", "rotation: text is not a map of keys"},
        {"rotation: [5]", "rotation: a list is not a map of keys"},
        {"rotation: {max_bakups: 5}",
         "rotation.max_bakups: unknown key; did you mean \"max_backups\"?"},
        {"rotation: {x_y_z_what: 5}",
         "rotation.x_y_z_what: unknown key; known here: max_backups, max_age, tags"},
        {"limits: {}", "limits.memory: is required and missing (size)"},
        {"limits: {memory: 1}", "limits.memory: \"1\" is out of range; allowed: at least 4KiB"},
        {"limits: {memory: 4096, ratio: 1.5}",
         "limits.ratio: \"1.5\" is out of range; allowed: at most 1"},
        {"Append: true", "Append: unknown key; did you mean \"append\"?"},
        {"pth: y", "pth: unknown key; did you mean \"path\"?"},
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(cases); i++) {
        char text[256];
        struct decoded d;
        struct tt_str found, last = {NULL, 0};
        (void)snprintf(text, sizeof(text), "e: {path: x, %s}", cases[i].option);
        decode(&d, text);
        found = problems(&d.l);
        /* What is compared is the text behind "c.yaml:1:<column>: exporters.sample/x." */
        for (struct tt_str rest = found; rest.len > 0;)
            last = tt_str_cut(&rest, '\n');
        check_case(cases[i].option, !d.ok && last.len > 0);
        if (strncmp(cases[i].problem, "warning", 7) == 0)
            check_case(cases[i].option, d.l.diags.warnings == 1 && d.l.diags.errors == 1);
        else {
            const char *expected = cases[i].problem;
            check_case(cases[i].option, d.l.diags.warnings == 0 && d.l.diags.errors == 1);
            check_case(cases[i].option, tt_str_starts_with(last, TT_STR("c.yaml:1:")));
            last.data = strstr(last.data, "exporters.sample/x.") + strlen("exporters.sample/x.");
            last.len = strlen(expected);
            check_text(cases[i].option, last, expected);
            assert_int_equal(last.data[last.len], '\n');
        }
        done(&d);
    }
}

static void decode_warns_of_bare_durations_and_deprecated_options(void **state)
{
    struct decoded d;

    (void)state;
    decode(&d, "e: {path: x, timeout: 5000000, old_path: y}");
    assert_str(problems(&d.l),
               "c.yaml:1:23: warning: exporters.sample/x.timeout: \"5000000\" without a unit is "
               "nanoseconds; write e.g. 500ms, 10s, 1m30s\n"
               "c.yaml:1:32: warning: exporters.sample/x.old_path: is deprecated: Use path.\n");
    assert_true(d.ok);
    assert_int_equal(d.sample.timeout, 5 * TT_MILLISECOND);
    done(&d);
}

static void decode_reports_all_problems_with_their_places(void **state)
{
    struct decoded d;

    (void)state;
    decode(&d, "e:\n"
               "  port: 0\n"
               "  rotation:\n"
               "    max_age: 1 year\n"
               "    maxage: 5\n"
               "  timeut: 5s\n");
    assert_false(d.ok);
    assert_str(
        problems(&d.l),
        "c.yaml:1:1: exporters.sample/x.path: is required and missing (text)\n"
        "c.yaml:2:9: exporters.sample/x.port: \"0\" is out of range; allowed: 1 to 65535\n"
        "c.yaml:4:14: exporters.sample/x.rotation.max_age: \"1 year\" is not a duration; write "
        "e.g. 500ms, 10s, 1m30s\n"
        "c.yaml:5:5: exporters.sample/x.rotation.maxage: unknown key; did you mean \"max_age\"?\n"
        "c.yaml:6:3: exporters.sample/x.timeut: unknown key; did you mean \"timeout\"?\n");
    done(&d);
}

static void decode_of_a_null_body_misses_what_is_required(void **state)
{
    static const char *const texts[] = {"e:\n", "e: {}\n", "x: 1\n"};

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(texts); i++) {
        struct decoded d;
        decode(&d, texts[i]);
        check_case(texts[i], !d.ok && d.l.diags.errors == 1);
        check_case(texts[i], tt_str_ends_with(problems(&d.l),
                                              TT_STR("exporters.sample/x.path: is required and "
                                                     "missing (text)\n")));
        done(&d);
    }
}

/* Every way to get a secret's option wrong; the canary must not come out. */
static void decode_never_shows_a_secret(void **state)
{
    static const char *const options[] = {
        "token: [s3cr3t]",
        "token: {s3cr3t: s3cr3t}",
        "token: 53cr3",
        "keys: {a: s3cr3t}",
        "keys: [[s3cr3t]]",
        "keys: 's3cr3t,,s3cr3t'",
        "secret_headers: s3cr3t",
        "secret_headers: {a: [s3cr3t]}",
        "secret_headers: [s3cr3t]",
        "pin: s3cr3t",
        "pin: '777777'",
        "pin: 777777",
        "tokn: s3cr3t",
        "token: &x s3cr3t",
        "token: !s s3cr3t",
        "token: s3cr3t, token: s3cr3t",
        "token: '${1s3cr3t}'",
        "token: 'a${s3cr3t-}b'",
        "token: '${env:X:-s3cr3t$}'",
        "rotation: s3cr3t",
        "token: \"s3cr3t\\0\"",
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(options); i++) {
        char text[256];
        struct decoded d;
        struct tt_str found;
        (void)snprintf(text, sizeof(text), "e: {path: x, %s}", options[i]);
        decode(&d, text);
        if (strcmp(options[i], "token: 53cr3") != 0) /* text; there as the good one */
            check_case(options[i], d.l.diags.errors > 0);
        found = problems(&d.l);
        check_case(options[i], !has(found, "s3cr3t"));
        check_case(options[i], !has(found, "777777"));
        done(&d);
    }
}

static void decode_shows_long_values_cut(void **state)
{
    char text[4096] = "e: {path: x, port: ";
    struct decoded d;

    (void)state;
    for (size_t i = strlen(text); i + 5 < sizeof(text); i += 2)
        memcpy(text + i, "ü", 2);
    text[strlen(text)] = '}';
    decode(&d, text);
    assert_int_equal(d.l.diags.errors, 1);
    assert_true(tt_str_ends_with(
        problems(&d.l), TT_STR("üü\"… is not a whole number; write e.g. 10, without quotes\n")));
    assert_true(tt_buffer_view(&d.l.out).len < 200);
    done(&d);
}

struct places {
    const char *endpoint, *off, *path;
    struct tt_string_list files;
};

static const struct tt_field places_fields[] = {
    {TT_STRING(struct places, endpoint), .def = "localhost:4318", .flags = TT_CONFIG_LISTEN,
     .doc = "Where to listen."},
    {TT_STRING(struct places, off), .flags = TT_CONFIG_LISTEN,
     .doc = "Where to listen, if at all."},
    {TT_STRING(struct places, path), .flags = TT_CONFIG_PATH, .doc = "Where to write."},
    {TT_STRINGS(struct places, files), .flags = TT_CONFIG_PATH, .doc = "What to read."},
};
static const struct tt_schema places_schema = TT_SCHEMA(struct places, places_fields);

static const struct {
    const char *text;
    const char *problem; /* what the one problem says; NULL: there is none */
} place_cases[] = {
    {"", NULL},
    {"endpoint: ':4318'", NULL},
    {"endpoint: 127.0.0.1:0", NULL},
    {"endpoint: '[::1]:65535'", NULL},
    {"endpoint: localhost:65536", "x.endpoint: \"localhost:65536\" is not host:port; write e.g."},
    {"endpoint: localhost:-1", "is not host:port"},
    {"endpoint: localhost", "is not host:port"},
    {"endpoint: 'localhost:'", "is not host:port"},
    {"endpoint: 'localhost: 1'", "is not host:port"},
    {"endpoint: ''", "is not host:port"},
    {"'off': ''", NULL},
    {"'off': nonsense", "x.off: \"nonsense\" is not host:port"},
    {"path: data/~x", NULL},
    {"path: a$1b$", NULL},
    {"path: ~/data", "x.path: \"~/data\": ~ means nothing here; write e.g. ${env:HOME}/data"},
    {"path: $HOME/data", "warning: x.path: \"$HOME/data\" is taken as it is"},
    {"path: data/$_x", "warning: x.path: "},
    {"files: [a, ~b]", "x.files: \"~b\": ~ means nothing here"},
    {"files: 'a,~b'", "~ means nothing here"},
};

static void decode_looks_at_endpoints_and_paths(void **state)
{
    (void)state;
    for (size_t i = 0; i < TT_LENGTH(place_cases); i++) {
        const char *problem = place_cases[i].problem;
        struct places places;
        struct tt_arena arena;
        struct loaded l;
        char text[128];
        bool is_error = problem != NULL && strncmp(problem, "warning", 7) != 0, ok;
        (void)snprintf(text, sizeof(text), "e: {%s}", place_cases[i].text);
        load_str(&l, tt_str(text), env);
        tt_arena_init(&arena, 0, 0);
        ok = tt_config_decode(&places_schema, tt_node_get(l.tree->root, TT_STR("e")), "x", &arena,
                              &places, &l.diags);
        check_case(place_cases[i].text, ok == !is_error);
        check_case(place_cases[i].text, problem == NULL ? tt_str_equal(problems(&l), TT_STR(""))
                                                        : has(problems(&l), problem));
        tt_arena_done(&arena);
        unload(&l);
    }
}

static bool decode_once(void *context)
{
    struct decoded *d = (struct decoded *)context;
    size_t errors = d->l.diags.errors;

    tt_arena_init(&d->arena, 64, 0);
    d->ok = tt_config_decode(&sample_schema, tt_node_get(d->l.tree->root, TT_STR("e")), "x",
                             &d->arena, &d->sample, &d->l.diags);
    assert_true(d->ok == (d->l.diags.errors == errors));
    tt_arena_done(&d->arena);
    return d->ok;
}

static void decode_survives_each_failing_allocation(void **state)
{
    struct decoded d;

    (void)state;
    load_str(&d.l, TT_STR("e: {path: x, names: [a, b, c], headers: {d: e}, keys: 'f,g,h'}"), NULL);
    tt_test_failing_allocations(decode_once, &d);
    unload(&d.l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decode_fills_defaults),
        cmocka_unit_test(decode_reads_every_type),
        cmocka_unit_test(decode_reads_what_came_from_variables),
        cmocka_unit_test(decode_null_means_not_given),
        cmocka_unit_test(decode_refuses),
        cmocka_unit_test(decode_warns_of_bare_durations_and_deprecated_options),
        cmocka_unit_test(decode_reports_all_problems_with_their_places),
        cmocka_unit_test(decode_of_a_null_body_misses_what_is_required),
        cmocka_unit_test(decode_never_shows_a_secret),
        cmocka_unit_test(decode_shows_long_values_cut),
        cmocka_unit_test(decode_looks_at_endpoints_and_paths),
        cmocka_unit_test(decode_survives_each_failing_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
