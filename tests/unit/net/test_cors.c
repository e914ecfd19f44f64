/* SPDX-License-Identifier: Apache-2.0 */
#include "net/cors.h"
#include "tt_test.h"

static const char *const origins[] = {"https://shop.example", "http://*.test.example:8080",
                                      "https://a*z"};
static const struct tt_cors some = {.allowed_origins = origins, .n_allowed_origins = 3};

static void origins_match_as_a_whole_and_without_case(void **state)
{
    static const struct {
        const char *origin;
        bool allowed;
    } examples[] = {
        {"https://shop.example", true},
        {"HTTPS://Shop.Example", true},
        {"https://shop.example.evil", false},
        {"https://shop.exampl", false},
        {"http://shop.example", false},
        {"http://a.test.example:8080", true},
        {"http://a.b.test.example:8080", true},
        {"http://a.test.example", false},
        {"https://az", true},
        {"https://abcz", true},
        {"https://abc", false},
        {"null", false},
        {"", false},
    };

    (void)state;
    for (size_t i = 0; i < TT_LENGTH(examples); i++) {
        if (cors_allows_origin(&some, tt_str(examples[i].origin)) != examples[i].allowed)
            fail_msg("%s", examples[i].origin);
    }
}

static void without_a_list_no_origin_is_allowed(void **state)
{
    const struct tt_cors none = {0};

    (void)state;
    assert_false(cors_allows_origin(&none, TT_STR("https://shop.example")));
    assert_false(cors_is_open(&none));
}

static void a_star_opens_it_for_all(void **state)
{
    static const char *const star[] = {"*"};
    const struct tt_cors open = {.allowed_origins = star, .n_allowed_origins = 1};

    (void)state;
    assert_true(cors_is_open(&open));
    assert_true(cors_allows_origin(&open, TT_STR("https://anything")));
    assert_false(cors_is_open(&some));
}

static void many_stars_take_no_exponential_time(void **state)
{
    static const char *const stars[] = {"*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b"};
    const struct tt_cors cors = {.allowed_origins = stars, .n_allowed_origins = 1};
    char origin[500];

    (void)state;
    memset(origin, 'a', sizeof(origin));
    assert_false(cors_allows_origin(&cors, tt_str_of(origin, sizeof(origin))));
}

static void headers_are_those_configured_or_the_usual_ones(void **state)
{
    static const char *const own[] = {"X-Own"};
    static const char *const star[] = {"*"};
    const struct tt_cors with_own = {.allowed_headers = own, .n_allowed_headers = 1};
    const struct tt_cors with_star = {.allowed_headers = star, .n_allowed_headers = 1};

    (void)state;
    assert_true(cors_allows_headers(&some, TT_STR("content-type, x-requested-with")));
    assert_true(cors_allows_headers(&some, TT_STR("")));
    assert_false(cors_allows_headers(&some, TT_STR("content-type, x-own")));
    assert_true(cors_allows_headers(&with_own, TT_STR("x-own")));
    assert_false(cors_allows_headers(&with_own, TT_STR("content-type")));
    assert_true(cors_allows_headers(&with_star, TT_STR("anything, else")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(origins_match_as_a_whole_and_without_case),
        cmocka_unit_test(without_a_list_no_origin_is_allowed),
        cmocka_unit_test(a_star_opens_it_for_all),
        cmocka_unit_test(many_stars_take_no_exponential_time),
        cmocka_unit_test(headers_are_those_configured_or_the_usual_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
