/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <time.h>

enum { DAY_SECONDS = 86400 };

/* ---- clocks ---- */

static int64_t read_clock(clockid_t id)
{
    struct timespec now = {0};

    (void)clock_gettime(id, &now); /* cannot fail for these two clocks */
    return now.tv_sec * TT_SECOND + now.tv_nsec;
}

static tt_dur system_monotonic(const struct tt_clock *clock)
{
    (void)clock;
    return read_clock(CLOCK_MONOTONIC);
}

static uint64_t system_wall(const struct tt_clock *clock)
{
    int64_t now = read_clock(CLOCK_REALTIME);

    (void)clock;
    return now < 0 ? 0 : (uint64_t)now;
}

const struct tt_clock *tt_clock_system(void)
{
    static const struct tt_clock system_clock = {
        .monotonic = system_monotonic,
        .wall = system_wall,
    };

    return &system_clock;
}

static tt_dur fake_monotonic(const struct tt_clock *clock)
{
    const struct tt_fake_clock *fake = (const void *)clock;

    return atomic_load(&fake->monotonic_ns);
}

static uint64_t fake_wall(const struct tt_clock *clock)
{
    const struct tt_fake_clock *fake = (const void *)clock;

    return atomic_load(&fake->wall_ns);
}

void tt_fake_clock_init(struct tt_fake_clock *fake, uint64_t wall_ns)
{
    fake->clock = (struct tt_clock){.monotonic = fake_monotonic, .wall = fake_wall};
    /* As on a machine that runs for a while: 0 is easily mistaken for "not set". */
    atomic_init(&fake->monotonic_ns, 1000 * TT_SECOND);
    atomic_init(&fake->wall_ns, wall_ns);
}

void tt_fake_clock_advance(struct tt_fake_clock *fake, tt_dur by)
{
    atomic_fetch_add(&fake->monotonic_ns, by);
    atomic_fetch_add(&fake->wall_ns, (uint64_t)by);
}

/* ---- the calendar ---- */

struct civil {
    unsigned year, month, day; /* month and day from 1 */
};

/* Days before the first of March of a year that begins in March: then the leap day is the last of its year. */
static uint64_t days_before_march_year(uint64_t year)
{
    return year * 365 + year / 4 - year / 100 + year / 400;
}

/* Days from the first of March to the first of the month `from_march` (0: March) months later: the lengths
 * 31 30 31 30 31 repeat from March and from August, 153 days in five months. */
static unsigned days_before_month(unsigned from_march)
{
    return (153 * from_march + 2) / 5;
}

/* 1970-01-01 in days since 0000-03-01. */
enum { EPOCH_DAYS = 719468 };

/* Days since 1970-01-01; year >= 0. */
static int64_t days_of(struct civil date)
{
    unsigned from_march = (date.month + 9) % 12;
    uint64_t year = date.year - (date.month <= 2 && date.year > 0);
    int64_t days;

    /* January and February of year 0 belong to a year before the count begins. */
    if (date.month <= 2 && date.year == 0)
        return -EPOCH_DAYS - 1;
    days = (int64_t)(days_before_march_year(year) + days_before_month(from_march)) + date.day - 1;
    return days - EPOCH_DAYS;
}

static struct civil civil_of(uint64_t days_since_1970)
{
    uint64_t days = days_since_1970 + EPOCH_DAYS;
    uint64_t year = days * 400 / 146097 + 1; /* 146,097 days in 400 years; not too low */
    unsigned rest, from_march, month;

    /* One or two steps. */
    while (days_before_march_year(year) > days)
        year--;
    rest = (unsigned)(days - days_before_march_year(year));
    from_march = (5 * rest + 2) / 153;
    month = from_march < 10 ? from_march + 3 : from_march - 9;
    return (struct civil){
        .year = (unsigned)year + (month <= 2),
        .month = month,
        .day = rest - days_before_month(from_march) + 1,
    };
}

static bool is_date(struct civil date)
{
    static const uint8_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = date.year % 4 == 0 && (date.year % 100 != 0 || date.year % 400 == 0);

    if (date.month < 1 || date.month > 12)
        return false;
    return date.day >= 1 &&
           date.day <= lengths[date.month - 1] + (unsigned)(leap && date.month == 2);
}

/* ---- text ---- */

/* Writes `width` digits of value with leading zeros; returns what follows them. */
static char *put_number(char *to, uint64_t value, int width)
{
    for (int i = width - 1; i >= 0; i--) {
        to[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return to + width;
}

/* "2026-08-21T10:00:00" with these separators (0: none); returns what follows. */
static char *put_seconds(char *to, uint64_t wall_s, char date, char between, char time)
{
    struct civil civil = civil_of(wall_s / DAY_SECONDS);
    unsigned second = (unsigned)(wall_s % DAY_SECONDS);
    const struct {
        unsigned value;
        int width;
        char after;
    } parts[] = {
        {civil.year, 4, date},    {civil.month, 2, date},      {civil.day, 2, between},
        {second / 3600, 2, time}, {second / 60 % 60, 2, time}, {second % 60, 2, '\0'},
    };

    for (size_t i = 0; i < TT_LENGTH(parts); i++) {
        to = put_number(to, parts[i].value, parts[i].width);
        if (parts[i].after != '\0')
            *to++ = parts[i].after;
    }
    return to;
}

size_t tt_time_format(uint64_t wall_ns, int digits, char ret_text[32])
{
    char *at = put_seconds(ret_text, wall_ns / TT_SECOND, '-', 'T', ':');

    if (digits > 0) {
        *at++ = '.';
        (void)put_number(at, wall_ns % TT_SECOND, 9);
        at += digits < 9 ? digits : 9;
    }
    *at++ = 'Z';
    *at = '\0';
    return (size_t)(at - ret_text);
}

size_t tt_time_format_compact(uint64_t wall_ns, char ret_text[32])
{
    char *at = put_seconds(ret_text, wall_ns / TT_SECOND, '\0', '_', '\0');

    *at = '\0';
    return (size_t)(at - ret_text);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Takes exactly `width` digits off the front of *rest. */
static bool take_number(struct tt_str *rest, size_t width, unsigned *ret_value)
{
    unsigned value = 0;

    if (rest->len < width)
        return false;
    for (size_t i = 0; i < width; i++) {
        if (!is_digit(rest->data[i]))
            return false;
        value = value * 10 + (unsigned)(rest->data[i] - '0');
    }
    *ret_value = value;
    *rest = tt_str_of(rest->data + width, rest->len - width);
    return true;
}

/* Takes one of the characters in `allowed` off the front; 0 when there is none. */
static char take_char(struct tt_str *rest, const char *allowed)
{
    char c = rest->len == 0 ? '\0' : rest->data[0];

    if (c == '\0' || strchr(allowed, c) == NULL)
        return '\0';
    *rest = tt_str_of(rest->data + 1, rest->len - 1);
    return c;
}

static bool take_date(struct tt_str *rest, struct civil *ret)
{
    return take_number(rest, 4, &ret->year) && take_char(rest, "-") &&
           take_number(rest, 2, &ret->month) && take_char(rest, "-") &&
           take_number(rest, 2, &ret->day) && is_date(*ret);
}

/* Seconds of the day; 23:59:60 is the second after 23:59:59. */
static bool take_time(struct tt_str *rest, unsigned *ret_second, bool *ret_leap)
{
    unsigned h, m, s;

    if (!take_number(rest, 2, &h) || !take_char(rest, ":") || !take_number(rest, 2, &m) ||
        !take_char(rest, ":") || !take_number(rest, 2, &s) || h > 23 || m > 59 || s > 60)
        return false;
    *ret_second = h * 3600 + m * 60 + s;
    *ret_leap = s == 60;
    return true;
}

/* ".5": nanoseconds; RFC 3339 allows any number of digits, those after the ninth are dropped. */
static bool take_fraction(struct tt_str *rest, unsigned *ret_ns)
{
    unsigned ns = 0, unit = 100000000, digits = 0;

    *ret_ns = 0;
    if (!take_char(rest, "."))
        return true;
    for (unsigned digit; take_number(rest, 1, &digit); digits++, unit /= 10)
        ns += digit * unit;
    *ret_ns = ns;
    return digits > 0;
}

/* "Z", "+02:00" or nothing: seconds that local time is ahead of UTC. */
static bool take_zone(struct tt_str *rest, int64_t *ret_offset)
{
    unsigned h, m;
    char sign;

    *ret_offset = 0;
    if (rest->len == 0 || take_char(rest, "Zz"))
        return true;
    sign = take_char(rest, "+-");
    if (!sign || !take_number(rest, 2, &h) || !take_char(rest, ":") || !take_number(rest, 2, &m) ||
        h > 23 || m > 59)
        return false;
    *ret_offset = (sign == '-' ? -1 : 1) * (int64_t)(h * 3600 + m * 60);
    return true;
}

bool tt_time_parse(struct tt_str text, uint64_t *ret_wall_ns)
{
    struct civil date;
    unsigned second, ns;
    bool leap;
    int64_t offset, total;
    uint64_t wall;

    if (!take_date(&text, &date) || !take_char(&text, "Tt ") || !take_time(&text, &second, &leap) ||
        !take_fraction(&text, &ns) || !take_zone(&text, &offset) || text.len > 0)
        return false;
    total = days_of(date) * DAY_SECONDS + second - offset;
    /* Leap seconds end a UTC day, whatever the local time. */
    if (total < 0 || (leap && total % DAY_SECONDS != 0))
        return false;
    if (__builtin_mul_overflow((uint64_t)total, (uint64_t)TT_SECOND, &wall) ||
        __builtin_add_overflow(wall, ns, &wall))
        return false;
    *ret_wall_ns = wall;
    return true;
}
