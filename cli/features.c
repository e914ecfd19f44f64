/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/features.h"

enum match { IS, BEGINS, ENDS, CONTAINS };

/* Names are compared in lower case with '_' for '.', '-' and blanks. The first that matches says why. */
static const struct rule {
    enum match match;
    const char *text;
    const char *why;
} rules[] = {
    {CONTAINS, "x_anomaly", "is a captured label header"},
    {BEGINS, "anomaly", "is a label or a score"},
    {BEGINS, "label", "is a label"},
    {BEGINS, "is_anomal", "is a label"},
    {CONTAINS, "request_header_", "is a captured header"},
    {CONTAINS, "response_header_", "is a captured header"},
    {BEGINS, "rpc_request_metadata", "is a captured header"},
    {BEGINS, "rpc_response_metadata", "is a captured header"},
    {BEGINS, "messaging_header", "is a captured header"},
    {CONTAINS, "baggage", "is baggage"},
    {IS, "id", "is an id"},
    {ENDS, "_id", "is an id"},
    {IS, "traceid", "is an id"},
    {IS, "spanid", "is an id"},
    {IS, "parentspanid", "is an id"},
    {ENDS, "uuid", "is an id"},
    {ENDS, "guid", "is an id"},
    {CONTAINS, "timestamp", "is a time"},
    {IS, "time", "is a time"},
    {IS, "ts", "is a time"},
    {IS, "ds", "is a time"},
    {IS, "date", "is a time"},
    {IS, "datetime", "is a time"},
    {IS, "epoch", "is a time"},
    {IS, "time_ns", "is a time"},
    {IS, "unix_time", "is a time"},
    {BEGINS, "start_time", "is a time"},
    {BEGINS, "end_time", "is a time"},
    {BEGINS, "observed_time", "is a time"},
    {BEGINS, "starttime", "is a time"},
    {BEGINS, "endtime", "is a time"},
    {ENDS, "unix_nano", "is a time"},
    {IS, "file", "is a file name"},
    {IS, "filename", "is a file name"},
    {ENDS, "file_name", "is a file name"},
    {ENDS, "file_path", "is a file name"},
};

enum { MAX_NAME = TT_FEATURE_MAX_NAME };

/* Behind the last '_' of a name, and what they are units of. */
static const struct unit {
    const char *name;
    char kind; /* t: time, b: bytes, r: a ratio */
} units[] = {
    {"ns", 't'},      {"us", 't'},          {"ms", 't'},           {"s", 't'},
    {"sec", 't'},     {"secs", 't'},        {"nanos", 't'},        {"micros", 't'},
    {"millis", 't'},  {"nanoseconds", 't'}, {"microseconds", 't'}, {"milliseconds", 't'},
    {"seconds", 't'}, {"minutes", 't'},     {"hours", 't'},        {"bytes", 'b'},
    {"kb", 'b'},      {"kib", 'b'},         {"mb", 'b'},           {"mib", 'b'},
    {"gb", 'b'},      {"gib", 'b'},         {"ratio", 'r'},        {"percent", 'r'},
    {"pct", 'r'},
};

/* camelCase "traceId" and "TraceID" are ids, "valid" and "grid" are not. */
static bool is_camel_id(struct tt_str name)
{
    return name.len > 2 && name.data[name.len - 3] >= 'a' && name.data[name.len - 3] <= 'z' &&
           (tt_str_ends_with(name, TT_STR("Id")) || tt_str_ends_with(name, TT_STR("ID")));
}

static struct tt_str normalised(struct tt_str name, char text[MAX_NAME])
{
    size_t len = name.len < MAX_NAME ? name.len : MAX_NAME;

    for (size_t i = 0; i < len; i++) {
        char c = name.data[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c + ('a' - 'A'));
        text[i] = (char)(c == '.' || c == '-' || c == ' ' || c == '@' ? '_' : c);
    }
    return tt_str_of(text, len);
}

static bool matches(const struct rule *rule, struct tt_str name)
{
    switch (rule->match) {
    case IS:
        return tt_str_equal(name, tt_str(rule->text));
    case BEGINS:
        return tt_str_starts_with(name, tt_str(rule->text));
    case ENDS:
        return tt_str_ends_with(name, tt_str(rule->text));
    case CONTAINS:
        break;
    }
    return name.len > 0 && memmem(name.data, name.len, rule->text, strlen(rule->text)) != NULL;
}

const char *tt_feature_refusal(struct tt_str name)
{
    char text[MAX_NAME];
    struct tt_str plain = normalised(tt_str_trim(name), text);

    if (plain.len == 0)
        return "has no name";
    if (name.len > MAX_NAME - 1)
        return "has a name of more than 255 bytes";
    for (size_t i = 0; i < TT_LENGTH(rules); i++)
        if (matches(&rules[i], plain))
            return rules[i].why;
    return is_camel_id(name) ? "is an id" : NULL;
}

struct tt_str tt_feature_quantity(struct tt_str name, char text[TT_FEATURE_MAX_NAME])
{
    struct tt_str plain = normalised(tt_str_trim(name), text);
    const char *last = plain.len == 0 ? NULL : memrchr(plain.data, '_', plain.len);
    size_t stem = last == NULL ? 0 : (size_t)(last - plain.data);

    for (size_t i = 0; stem > 0 && i < TT_LENGTH(units); i++) {
        if (!tt_str_equal(tt_str_of(last + 1, plain.len - stem - 1), tt_str(units[i].name)))
            continue;
        text[stem + 1] = units[i].kind;
        return tt_str_of(text, stem + 2);
    }
    return (struct tt_str){NULL, 0};
}
