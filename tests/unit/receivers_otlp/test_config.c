/* SPDX-License-Identifier: Apache-2.0 */
#include "config/tree.h"
#include "receivers/otlp/config.h"
#include "tt_test.h"

struct decoded {
    struct tt_tree *tree;
    struct tt_arena arena;
    struct tt_diags diags;
    struct otlp_config config;
    bool ok;
};

static void decode(struct decoded *d, const char *yaml)
{
    *d = (struct decoded){.tree = tt_tree_new()};
    assert_non_null(d->tree);
    tt_arena_init(&d->arena, 0, 0);
    tt_diags_init(&d->diags);
    assert_true(
        tt_tree_merge_text(d->tree, "c.yaml", tt_str(yaml), tt_env_process, NULL, &d->diags));
    d->ok = tt_config_decode(&otlp_schema, d->tree->root, "receivers.otlp", &d->arena, &d->config,
                             &d->diags);
}

static void decoded_done(struct decoded *d)
{
    tt_diags_done(&d->diags);
    tt_arena_done(&d->arena);
    tt_tree_free(d->tree);
}

static void a_protocol_is_on_when_its_key_is_there(void **state)
{
    static const struct {
        const char *yaml;
        bool http, grpc, valid;
    } examples[] = {
        {"protocols: {http: }", true, false, true},
        {"protocols: {http: {}}", true, false, true},
        {"protocols: {grpc: }", false, true, true},
        {"protocols: {http: , grpc: }", true, true, true},
        {"protocols: {}", false, false, false},
        {"protocols:", false, false, false},
        {"{}", false, false, false},
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(examples); i++) {
        struct decoded d;
        struct tt_error err = {0};

        decode(&d, examples[i].yaml);
        assert_true(d.ok);
        assert_int_equal(d.config.protocols.http.present, examples[i].http);
        assert_int_equal(d.config.protocols.grpc.present, examples[i].grpc);
        if ((otlp_validate(&d.config, &err) == TT_OK) != examples[i].valid)
            fail_msg("%s: %s", examples[i].yaml, err.message);
        if (!examples[i].valid)
            assert_non_null(strstr(err.message, "must specify at least one protocol"));
        decoded_done(&d);
    }
}

static void defaults_are_the_collectors_ports_on_loopback(void **state)
{
    struct decoded d;

    (void)state;
    decode(&d, "protocols: {http: , grpc: }");
    assert_string_equal(d.config.protocols.http.endpoint, "localhost:4318");
    assert_string_equal(d.config.protocols.grpc.endpoint, "localhost:4317");
    assert_string_equal(d.config.protocols.http.traces_url_path, "/v1/traces");
    assert_int_equal(d.config.protocols.http.max_request_body_size, 64 << 20);
    assert_true(d.config.protocols.http.keep_alives_enabled);
    decoded_done(&d);
}

static void what_others_can_reach_must_be_meant(void **state)
{
    static const struct {
        const char *endpoint;
        bool loopback;
    } examples[] = {
        {"localhost:4318", true},
        {"LocalHost:1", true},
        {"127.0.0.1:4318", true},
        {"127.9.9.9:0", true},
        {"[::1]:4318", true},
        {"0.0.0.0:4318", false},
        {":4318", false},
        {"[::]:4318", false},
        {"10.0.0.1:4318", false},
        {"collector.example:1", false},
        {"localhost.evil:1", false},
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(examples); i++) {
        for (int allowed = 0; allowed <= 1; allowed++) {
            char yaml[256];
            struct decoded d;
            struct tt_error err = {0};

            (void)snprintf(yaml, sizeof(yaml),
                           "protocols: {http: {endpoint: \"%s\", allow_insecure_remote: %s}}",
                           examples[i].endpoint, allowed ? "true" : "false");
            decode(&d, yaml);
            assert_true(d.ok);
            assert_int_equal(otlp_is_loopback(examples[i].endpoint), examples[i].loopback);
            bool valid = otlp_validate(&d.config, &err) == TT_OK;
            if (valid != (examples[i].loopback || allowed))
                fail_msg("%s", yaml);
            if (!valid)
                assert_non_null(strstr(err.message, "protocols.http.allow_insecure_remote: true"));
            decoded_done(&d);
        }
    }
}

static void mistakes_between_options_are_found(void **state)
{
    static const char *const examples[] = {
        "protocols: {http: {traces_url_path: /v1/logs}}",
        "protocols: {http: {logs_url_path: /v1/labels}}",
        "protocols: {http: {compression_algorithms: [gzip, brotli]}}",
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(examples); i++) {
        struct decoded d;
        struct tt_error err = {0};

        decode(&d, examples[i]);
        assert_true(d.ok);
        if (otlp_validate(&d.config, &err) == TT_OK)
            fail_msg("%s", examples[i]);
        assert_true(err.message[0] != '\0');
        decoded_done(&d);
    }
}

static void the_list_of_algorithms_decides(void **state)
{
    static const struct {
        const char *list, *encoding;
        bool taken;
    } examples[] = {
        {"", "", true},
        {"", "gzip", true},
        {"", "ZSTD", true},
        {"", "identity", true},
        {"", "x-gzip", true},
        {"", "br", false},
        {"", "gzip, gzip", false},
        {"compression_algorithms: []", "", true},
        {"compression_algorithms: []", "gzip", false},
        {"compression_algorithms: [gzip]", "gzip", true},
        {"compression_algorithms: [gzip]", "", false},
        {"compression_algorithms: [gzip]", "zstd", false},
        {"compression_algorithms: [\"\", zlib, snappy]", "deflate", true},
        {"compression_algorithms: [\"\", zlib, snappy]", "", true},
        {"compression_algorithms: [\"\", zlib, snappy]", "snappy", false},
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(examples); i++) {
        char yaml[256];
        struct decoded d;
        struct tt_error err = {0};

        (void)snprintf(yaml, sizeof(yaml), "protocols: {http: {%s}}", examples[i].list);
        decode(&d, yaml);
        assert_true(d.ok);
        assert_ok(otlp_validate(&d.config, &err), &err);
        if (otlp_takes_encoding(&d.config.protocols.http, tt_str(examples[i].encoding)) !=
            examples[i].taken)
            fail_msg("%s: \"%s\"", yaml, examples[i].encoding);
        decoded_done(&d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_protocol_is_on_when_its_key_is_there),
        cmocka_unit_test(defaults_are_the_collectors_ports_on_loopback),
        cmocka_unit_test(what_others_can_reach_must_be_meant),
        cmocka_unit_test(mistakes_between_options_are_found),
        cmocka_unit_test(the_list_of_algorithms_decides),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
