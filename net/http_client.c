/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_client.h"

#include <curl/curl.h>

#include <stdio.h>
#include <stdlib.h>

#define LOOPBACK_HOSTS "localhost,127.0.0.0/8,::1"

struct tt_http_client {
    CURL *curl;
    size_t max_answer;
    char *no_proxy;
    char reason[CURL_ERROR_SIZE];
};

/* The receiving side of one request. */
struct sink {
    struct tt_buffer *body;
    size_t max;
};

/* Over the limit the rest is discarded: the transfer must still run to its end to keep the connection. */
static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct sink *sink = context;
    size_t len = size * count;
    size_t room = sink->max > sink->body->len ? sink->max - sink->body->len : 0;

    tt_buffer_append(sink->body, bytes, len < room ? len : room);
    return len;
}

/* libcurl lets NO_PROXY of the environment give way to this option, so it is joined to ours. */
static char *no_proxy_list(void)
{
    const char *lower = getenv("no_proxy");
    const char *inherited = lower != NULL ? lower : getenv("NO_PROXY");

    if (inherited == NULL || inherited[0] == '\0')
        return tt_strdup(TT_STR(LOOPBACK_HOSTS));
    if (strcmp(inherited, "*") == 0)
        return tt_strdup(TT_STR("*"));
    size_t len = strlen(inherited) + sizeof(LOOPBACK_HOSTS) + 1;
    char *joined = tt_malloc(len);
    if (joined != NULL)
        (void)snprintf(joined, len, "%s,%s", LOOPBACK_HOSTS, inherited);
    return joined;
}

static bool set_up(struct tt_http_client *client, tt_dur timeout)
{
    CURL *curl = client->curl;
    long timeout_ms = (long)(timeout / TT_MILLISECOND);
    bool ok = true;

    ok &= curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
    ok &= curl_easy_setopt(curl, CURLOPT_NOPROXY, client->no_proxy) == CURLE_OK;
    ok &= curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
    ok &= curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK;
    ok &= curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L) == CURLE_OK;
    ok &= curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout_ms < 1 ? 1L : timeout_ms) == CURLE_OK;
    ok &= curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->reason) == CURLE_OK;
    ok &= curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK;
    ok &= curl_easy_setopt(curl, CURLOPT_USERAGENT, "telltale") == CURLE_OK;
    return ok;
}

struct tt_http_client *tt_http_client_new(tt_dur timeout, size_t max_answer)
{
    struct tt_http_client *client = tt_calloc(1, sizeof(*client));

    if (client == NULL)
        return NULL;
    client->max_answer = max_answer;
    client->no_proxy = no_proxy_list();
    client->curl = curl_easy_init();
    if (client->no_proxy == NULL || client->curl == NULL || !set_up(client, timeout)) {
        tt_http_client_free(client);
        return NULL;
    }
    return client;
}

void tt_http_client_free(struct tt_http_client *client)
{
    if (client == NULL)
        return;
    if (client->curl != NULL)
        curl_easy_cleanup(client->curl);
    tt_free(client->no_proxy);
    tt_free(client);
}

static bool append_header(struct curl_slist **list, const char *name, const char *value)
{
    char line[4096];
    /* "Name;" is libcurl's way to send a header with an empty value. */
    int n = snprintf(line, sizeof(line), value[0] == '\0' ? "%s;" : "%s: %s", name, value);
    struct curl_slist *longer;

    if (n < 0 || (size_t)n >= sizeof(line))
        return false;
    longer = curl_slist_append(*list, line);
    if (longer == NULL)
        return false;
    *list = longer;
    return true;
}

static bool make_headers(const struct tt_http_header *headers, size_t n_headers,
                         struct curl_slist **ret_list)
{
    struct curl_slist *list =
        curl_slist_append(NULL, "Expect:"); /* no round trip before large bodies */

    if (list == NULL)
        return false;
    for (size_t i = 0; i < n_headers; i++) {
        if (!append_header(&list, headers[i].name, headers[i].value)) {
            curl_slist_free_all(list);
            return false;
        }
    }
    *ret_list = list;
    return true;
}

static bool set_method(CURL *curl, const char *method, struct tt_str body)
{
    bool is_get = strcmp(method, "GET") == 0;

    if (curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, NULL) != CURLE_OK)
        return false;
    if (is_get && body.len == 0)
        return curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L) == CURLE_OK;
    if (curl_easy_setopt(curl, CURLOPT_POST, 1L) != CURLE_OK ||
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.len == 0 ? "" : body.data) != CURLE_OK ||
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len) != CURLE_OK)
        return false;
    return strcmp(method, "POST") == 0 ||
           curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method) == CURLE_OK;
}

static enum tt_status fail_request(const struct tt_http_client *client, CURLcode code,
                                   const char *what, const char *url, struct tt_error *err)
{
    return tt_fail(err, code == CURLE_OPERATION_TIMEDOUT ? TT_TIMEOUT : TT_UNAVAILABLE, "%s %s: %s",
                   what, url,
                   client->reason[0] != '\0' ? client->reason : curl_easy_strerror(code));
}

static enum tt_status outcome(struct tt_http_client *client, CURLcode code, const char *url,
                              struct tt_http_reply *reply, struct tt_error *err)
{
    long status = 0;
    curl_off_t retry_after = 0;

    if (code != CURLE_OK)
        return fail_request(client, code, "request", url, err);
    (void)curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(client->curl, CURLINFO_RETRY_AFTER, &retry_after);
    reply->status = status > 0 ? (unsigned)status : 0;
    if (retry_after > 0)
        reply->retry_after_ms =
            retry_after > UINT32_MAX / 1000 ? UINT32_MAX : (uint32_t)retry_after * 1000;
    return TT_OK;
}

enum tt_status tt_http_request(struct tt_http_client *client, const char *method, const char *url,
                               const struct tt_http_header *headers, size_t n_headers,
                               struct tt_str body, struct tt_http_reply *reply,
                               struct tt_error *err)
{
    struct sink sink = {.body = &reply->body, .max = client->max_answer};
    struct curl_slist *list = NULL;
    CURL *curl = client->curl;

    reply->status = 0;
    reply->retry_after_ms = 0;
    tt_buffer_clear(&reply->body);
    if (sink.max > reply->body.max)
        sink.max = reply->body.max;
    if (!make_headers(headers, n_headers, &list))
        return tt_fail(err, TT_NO_MEMORY, "request %s: headers do not fit", url);
    client->reason[0] = '\0';
    CURLcode code = CURLE_OUT_OF_MEMORY;
    if (curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, &sink) == CURLE_OK &&
        set_method(curl, method, body))
        code = curl_easy_perform(curl);
    (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(list);
    enum tt_status status = outcome(client, code, url, reply, err);
    return status != TT_OK ? status : tt_buffer_check(&reply->body, "read the answer", err);
}

enum tt_status tt_http_connect(struct tt_http_client *client, const char *url, struct tt_error *err)
{
    CURL *curl = client->curl;
    CURLcode code = CURLE_OUT_OF_MEMORY;

    client->reason[0] = '\0';
    if (curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L) == CURLE_OK)
        code = curl_easy_perform(curl);
    (void)curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 0L);
    return code == CURLE_OK ? TT_OK : fail_request(client, code, "connect to", url, err);
}
