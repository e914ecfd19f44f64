/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/loadgen_shop.h"

#define TEXT(literal)                   \
    {                                   \
        "" literal, sizeof(literal) - 1 \
    }

const struct shop_service_info shop_services[SHOP_SERVICES] = {
    [SHOP_K6] = {TEXT("k6"), TEXT("k6"), TEXT("web.robot-shop.svc.cluster.local"), 8080, TEXT("")},
    [SHOP_WEB] = {TEXT("web"), TEXT("nodejs"), TEXT("web.robot-shop.svc.cluster.local"), 8080,
                  TEXT("")},
    [SHOP_CATALOGUE] = {TEXT("catalogue"), TEXT("nodejs"),
                        TEXT("catalogue.robot-shop.svc.cluster.local"), 8081, TEXT("")},
    [SHOP_CART] = {TEXT("cart"), TEXT("nodejs"), TEXT("cart.robot-shop.svc.cluster.local"), 8082,
                   TEXT("")},
    [SHOP_USER] = {TEXT("user"), TEXT("nodejs"), TEXT("user.robot-shop.svc.cluster.local"), 8083,
                   TEXT("")},
    [SHOP_SHIPPING] = {TEXT("shipping"), TEXT("java"),
                       TEXT("shipping.robot-shop.svc.cluster.local"), 8084, TEXT("")},
    [SHOP_PAYMENT] = {TEXT("payment"), TEXT("python"), TEXT("payment.robot-shop.svc.cluster.local"),
                      8085, TEXT("")},
    [SHOP_MONGODB] = {TEXT("mongodb"), TEXT("cpp"), TEXT("mongodb.robot-shop.svc.cluster.local"),
                      27017, TEXT("mongodb")},
    [SHOP_REDIS] = {TEXT("redis"), TEXT("cpp"), TEXT("redis.robot-shop.svc.cluster.local"), 6379,
                    TEXT("redis")},
    [SHOP_MYSQL] = {TEXT("mysql"), TEXT("cpp"), TEXT("mysql.robot-shop.svc.cluster.local"), 3306,
                    TEXT("mysql")},
};

const struct shop_scenario_info shop_scenarios[SHOP_SCENARIOS] = {
    [SHOP_BASELINE] = {TEXT("baseline"), TEXT("none"), TEXT("normal"), TEXT("none"),
                       TEXT("baseline healthy traffic")},
    [SHOP_LATENCY_SPIKE] = {TEXT("latency_spike"), TEXT("latency_spike"), TEXT("anomalous"),
                            TEXT("slow_database_query"),
                            TEXT("database queries run 20 times longer")},
    [SHOP_DB_EXHAUSTION] = {TEXT("db_exhaustion"), TEXT("db_exhaustion"), TEXT("anomalous"),
                            TEXT("connection_pool_exhaustion"),
                            TEXT("no free database connection")},
    [SHOP_CPU_SATURATION] = {TEXT("cpu_saturation"), TEXT("cpu_saturation"), TEXT("anomalous"),
                             TEXT("high_cpu_usage"), TEXT("catalogue and cart starve for CPU")},
    [SHOP_CACHE_MISS] = {TEXT("cache_miss"), TEXT("cache_miss"), TEXT("anomalous"),
                         TEXT("cache_key_explosion"), TEXT("every cart look-up misses the cache")},
    [SHOP_DEPENDENCY_BOTTLENECK] = {TEXT("dependency_bottleneck"), TEXT("dependency_bottleneck"),
                                    TEXT("anomalous"), TEXT("external_payment_latency"),
                                    TEXT("the payment gateway answers late")},
    [SHOP_TIMEOUT] = {TEXT("timeout"), TEXT("timeout"), TEXT("anomalous"),
                      TEXT("downstream_service_timeout"),
                      TEXT("a downstream service never answers")},
    [SHOP_ERROR_SPIKE] = {TEXT("error_spike"), TEXT("error_spike"), TEXT("anomalous"),
                          TEXT("service_unavailable"), TEXT("services answer 503")},
};

/* ---- who asks whom ---- */

enum {
    MONGO_FIND_PRODUCT,
    MONGO_FIND_USER,
    REDIS_GET,
    REDIS_SET,
    MYSQL_SELECT,
    CATALOGUE_CATEGORIES,
    CATALOGUE_PRODUCT,
    CART_PRICE,
    CART_ADD,
    USER_CHECK,
    SHIPPING_QUOTE,
    PAYMENT_PAY,
    WEB_HOME,
    WEB_PRODUCT,
    WEB_LOGIN,
    WEB_CART,
    WEB_SHIPPING,
    WEB_CHECKOUT,
    OPERATIONS,
    NO_CALL = 255
};
#define CALLS(...) ((const uint8_t[]){__VA_ARGS__, NO_CALL})
#define NO_CALLS   ((const uint8_t[]){NO_CALL})

static const struct shop_operation operations[OPERATIONS] = {
    [MONGO_FIND_PRODUCT] = {SHOP_MONGODB, TEXT("find"), TEXT("catalogue.products"), 1800, NO_CALLS},
    [MONGO_FIND_USER] = {SHOP_MONGODB, TEXT("find"), TEXT("users.users"), 1500, NO_CALLS},
    [REDIS_GET] = {SHOP_REDIS, TEXT("GET"), TEXT("cart"), 250, NO_CALLS},
    [REDIS_SET] = {SHOP_REDIS, TEXT("SET"), TEXT("cart"), 300, NO_CALLS},
    [MYSQL_SELECT] = {SHOP_MYSQL, TEXT("SELECT"), TEXT("cities.codes"), 2600, NO_CALLS},
    [CATALOGUE_CATEGORIES] = {SHOP_CATALOGUE, TEXT("GET"), TEXT("/categories"), 900, NO_CALLS},
    [CATALOGUE_PRODUCT] = {SHOP_CATALOGUE, TEXT("GET"), TEXT("/product/{sku}"), 1200,
                           CALLS(MONGO_FIND_PRODUCT)},
    [CART_PRICE] = {SHOP_CART, TEXT("GET"), TEXT("/cart/{id}"), 1100,
                    CALLS(REDIS_GET, CATALOGUE_PRODUCT)},
    [CART_ADD] = {SHOP_CART, TEXT("POST"), TEXT("/add/{id}/{sku}/{quantity}"), 1400,
                  CALLS(REDIS_GET, CATALOGUE_PRODUCT, REDIS_SET)},
    [USER_CHECK] = {SHOP_USER, TEXT("GET"), TEXT("/check/{id}"), 800, CALLS(MONGO_FIND_USER)},
    [SHIPPING_QUOTE] = {SHOP_SHIPPING, TEXT("GET"), TEXT("/calc/{city}"), 3200,
                        CALLS(MYSQL_SELECT, CART_PRICE)},
    [PAYMENT_PAY] = {SHOP_PAYMENT, TEXT("POST"), TEXT("/pay/{id}"), 4000,
                     CALLS(USER_CHECK, CART_PRICE)},
    [WEB_HOME] = {SHOP_WEB, TEXT("GET"), TEXT("/"), 700, CALLS(CATALOGUE_CATEGORIES)},
    [WEB_PRODUCT] = {SHOP_WEB, TEXT("GET"), TEXT("/api/catalogue/product/{sku}"), 700,
                     CALLS(CATALOGUE_PRODUCT)},
    [WEB_LOGIN] = {SHOP_WEB, TEXT("POST"), TEXT("/api/user/login"), 800, CALLS(USER_CHECK)},
    [WEB_CART] = {SHOP_WEB, TEXT("GET"), TEXT("/api/cart/add/{id}/{sku}/{quantity}"), 800,
                  CALLS(CART_ADD)},
    [WEB_SHIPPING] = {SHOP_WEB, TEXT("GET"), TEXT("/api/shipping/calc/{city}"), 800,
                      CALLS(SHIPPING_QUOTE)},
    [WEB_CHECKOUT] = {SHOP_WEB, TEXT("POST"), TEXT("/api/payment/pay/{id}"), 900,
                      CALLS(PAYMENT_PAY)},
};

static const struct {
    uint8_t operation;
    struct tt_str name;
} journeys[] = {
    {WEB_HOME, TEXT("browse")}, {WEB_PRODUCT, TEXT("product")},   {WEB_LOGIN, TEXT("login")},
    {WEB_CART, TEXT("cart")},   {WEB_SHIPPING, TEXT("shipping")}, {WEB_CHECKOUT, TEXT("checkout")},
};

/* The load generator's own request, and the gateway outside the shop that payment asks. */
static const struct shop_operation external_gateway = {SHOP_PAYMENT, TEXT("POST"),
                                                       TEXT("/gateway/authorize"), 60000, NO_CALLS};

/* ---- randomness ---- */

uint64_t shop_random_next(struct shop_random *random)
{
    uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static bool chance(struct shop_random *random, unsigned percent)
{
    return shop_random_next(random) % 100 < percent;
}

/* A duration around typical with the long right tail that latencies have: 1/2 to 3/2, and one in 64 up to 4 times that. */
static uint64_t jitter(struct shop_random *random, uint64_t typical)
{
    uint64_t bits = shop_random_next(random);
    uint64_t value = typical / 2 + typical * (bits & 0xffff) / 0x10000;

    return (bits >> 58) == 0 ? value * (2 + (bits >> 16 & 3)) : value;
}

/* ---- one journey ---- */

struct play {
    struct shop_random *random;
    struct shop_trace *trace;
};

/* What one call comes to: filled by the scenario before the callee runs. */
struct fate {
    uint64_t work_us;    /* the callee's own work */
    uint64_t wait_us;    /* the caller waits this long first (for a connection) */
    uint64_t give_up_us; /* the caller leaves after this; 0: it waits for the answer */
    bool never_arrives;  /* the callee is not reached: it has no span and asks nobody */
    bool lost;           /* the callee works but its spans are never reported */
    bool may_retry;
    uint16_t http_status;
    struct tt_str error;
};

static bool is_store(enum shop_service service)
{
    return shop_services[service].db_system.len > 0;
}

static void fail(struct fate *fate, uint16_t http_status, struct tt_str error)
{
    fate->http_status = http_status;
    fate->error = error;
}

static void exhaust_pool(struct play *play, const struct shop_operation *operation,
                         struct fate *fate)
{
    if (!is_store(operation->service) || operation->service == SHOP_REDIS)
        return;
    fate->wait_us = jitter(play->random, 250000);
    if (!chance(play->random, 35))
        return;
    fate->never_arrives = true;
    fail(fate, 500, TT_STR("connection pool exhausted"));
}

static void time_out(struct play *play, const struct shop_operation *operation, struct fate *fate)
{
    if (is_store(operation->service) || operation->service == SHOP_WEB || !chance(play->random, 40))
        return;
    fate->give_up_us = 1000000;
    fate->work_us = jitter(play->random, 3000000);
    fate->lost = chance(play->random, 50);
    fate->may_retry = true;
    fail(fate, 504, TT_STR("deadline exceeded"));
}

static void refuse(struct play *play, const struct shop_operation *operation, struct fate *fate)
{
    if (is_store(operation->service) || operation->service == SHOP_WEB || !chance(play->random, 45))
        return;
    fate->work_us /= 4;
    fate->may_retry = true;
    fail(fate, 503, TT_STR("service unavailable"));
}

/* What the scenario makes of one call. */
static struct fate fate_of(struct play *play, const struct shop_operation *operation)
{
    struct fate fate = {.work_us = jitter(play->random, operation->work_us), .http_status = 200};
    enum shop_service service = operation->service;

    switch (play->trace->scenario) {
    case SHOP_LATENCY_SPIKE:
        if (service == SHOP_MONGODB || service == SHOP_MYSQL)
            fate.work_us *= 20;
        break;
    case SHOP_DB_EXHAUSTION:
        exhaust_pool(play, operation, &fate);
        break;
    case SHOP_CPU_SATURATION:
        fate.work_us *= service == SHOP_CATALOGUE || service == SHOP_CART ? 12 : 1;
        break;
    case SHOP_TIMEOUT:
        time_out(play, operation, &fate);
        break;
    case SHOP_ERROR_SPIKE:
        refuse(play, operation, &fate);
        break;
    case SHOP_BASELINE:
    case SHOP_CACHE_MISS:
    case SHOP_DEPENDENCY_BOTTLENECK:
    case SHOP_SCENARIOS:
        break;
    }
    return fate;
}

/* NULL when the trace is full: the journey then goes on without a record of it. */
static struct shop_span *add_span(struct play *play, const struct shop_operation *operation,
                                  enum shop_service service, int32_t parent, uint64_t start_us)
{
    struct shop_trace *trace = play->trace;
    struct shop_span *span;
    uint64_t id = shop_random_next(play->random) | 1;

    if (trace->count == SHOP_MAX_SPANS)
        return NULL;
    span = &trace->spans[trace->count++];
    *span = (struct shop_span){.operation = operation,
                               .service = service,
                               .parent = parent,
                               .start_us = start_us,
                               .end_us = start_us,
                               .http_status = 200};
    memcpy(span->span_id, &id, sizeof(span->span_id));
    return span;
}

static int32_t index_of(const struct play *play, const struct shop_span *span)
{
    return (int32_t)(span - play->trace->spans);
}

static uint64_t serve(struct play *play, const struct shop_operation *operation, int32_t parent,
                      uint64_t start_us, const struct fate *fate);

/* A request from `caller` to an operation; returns when the caller goes on. */
/* NOLINTNEXTLINE(misc-no-recursion): each call adds a span and ends when the trace has SHOP_MAX_SPANS; the call table is 5 deep */
static uint64_t ask(struct play *play, enum shop_service caller,
                    const struct shop_operation *operation, int32_t parent, uint64_t start_us)
{
    struct fate fate = fate_of(play, operation);
    struct shop_span *client = add_span(play, operation, caller, parent, start_us);
    uint64_t network_us = 100 + shop_random_next(play->random) % 200;
    uint64_t end_us = start_us + fate.wait_us + 2 * network_us;

    if (client == NULL)
        return start_us;
    client->is_client = true;
    client->http_status = fate.http_status;
    client->error = fate.error;
    if (!fate.never_arrives)
        end_us = network_us + serve(play, operation, index_of(play, client),
                                    start_us + fate.wait_us + network_us, &fate);
    if (fate.give_up_us > 0 && end_us > start_us + fate.give_up_us)
        end_us = start_us + fate.give_up_us;
    client->end_us = end_us;
    if (fate.may_retry && chance(play->random, 30))
        return ask(play, caller, operation, parent, end_us + jitter(play->random, 20000));
    return end_us;
}

/* The calls that a scenario adds to an operation's own. */
/* NOLINTNEXTLINE(misc-no-recursion): see ask */
static uint64_t ask_extra(struct play *play, const struct shop_operation *operation, int32_t self,
                          uint64_t now_us)
{
    enum shop_scenario scenario = play->trace->scenario;
    struct shop_span *gateway;

    if (scenario == SHOP_CACHE_MISS && operation->service == SHOP_CART)
        for (int i = 0; i < 3; i++)
            now_us = ask(play, SHOP_CART, &operations[CATALOGUE_PRODUCT], self, now_us);
    if (operation->service != SHOP_PAYMENT)
        return now_us;
    gateway = add_span(play, &external_gateway, SHOP_PAYMENT, self, now_us);
    if (gateway == NULL)
        return now_us;
    gateway->is_client = true;
    gateway->end_us = now_us + jitter(play->random, scenario == SHOP_DEPENDENCY_BOTTLENECK
                                                        ? 30 * (uint64_t)external_gateway.work_us
                                                        : external_gateway.work_us);
    return gateway->end_us;
}

/* An error of a callee becomes the caller's, as a 500 that names it. */
static void inherit_error(struct play *play, struct shop_span *span, uint32_t first_child)
{
    for (uint32_t i = first_child; i < play->trace->count; i++) {
        const struct shop_span *child = &play->trace->spans[i];
        if (child->parent == index_of(play, span) && child->error.len > 0) {
            span->http_status = 500;
            span->error = child->error;
        }
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): see ask */
static uint64_t serve(struct play *play, const struct shop_operation *operation, int32_t parent,
                      uint64_t start_us, const struct fate *fate)
{
    struct shop_span *span = add_span(play, operation, operation->service, parent, start_us);
    uint64_t now_us = start_us + fate->work_us / 2;
    uint32_t first_child = play->trace->count;
    int32_t self;

    if (span == NULL)
        return now_us;
    self = index_of(play, span);
    span->lost = fate->lost;
    if (fate->http_status < 500 || fate->give_up_us > 0) {
        for (const uint8_t *call = operation->calls; *call != NO_CALL; call++)
            now_us = ask(play, operation->service, &operations[*call], self, now_us);
        now_us = ask_extra(play, operation, self, now_us);
    }
    inherit_error(play, span, first_child);
    if (fate->http_status == 503 || fate->http_status == 500) {
        span->http_status = fate->http_status;
        span->error = fate->error;
    }
    span->end_us = now_us + fate->work_us - fate->work_us / 2;
    return span->end_us;
}

static uint64_t last_end(const struct shop_trace *trace)
{
    uint64_t end_us = 0;

    for (uint32_t i = 0; i < trace->count; i++)
        if (trace->spans[i].end_us > end_us)
            end_us = trace->spans[i].end_us;
    return end_us;
}

/* The request of the load generator itself: it lasts as long as the web tier's span and ends as that did. */
static void close_root(struct shop_trace *trace)
{
    struct shop_span *root = &trace->spans[0];
    const struct shop_span *web = &trace->spans[1];

    root->end_us = web->end_us + 300;
    root->http_status = web->http_status;
    root->error = web->error;
}

void shop_play(struct shop_random *random, enum shop_scenario scenario, bool with_k6,
               struct shop_trace *ret_trace)
{
    struct play play = {.random = random, .trace = ret_trace};
    size_t journey = shop_random_next(random) % TT_LENGTH(journeys);
    const struct shop_operation *entry = &operations[journeys[journey].operation];
    struct fate fate;

    ret_trace->scenario = scenario;
    ret_trace->journey = journeys[journey].name;
    ret_trace->count = 0;
    for (size_t i = 0; i < 16; i += 8) {
        uint64_t bits = shop_random_next(random) | 1;
        memcpy(ret_trace->trace_id + i, &bits, 8);
    }
    fate = fate_of(&play, entry);
    if (with_k6) {
        struct shop_span *root = add_span(&play, entry, SHOP_K6, -1, 0);
        root->is_client = true;
        serve(&play, entry, 0, 300, &fate);
        close_root(ret_trace);
    } else {
        serve(&play, entry, -1, 0, &fate);
    }
    ret_trace->duration_us = last_end(ret_trace);
}
