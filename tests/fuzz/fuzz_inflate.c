/* SPDX-License-Identifier: Apache-2.0 */
/* Decompression of anything. Byte 0 chooses the encoding; the rest is unpacked, and packed and unpacked again. */
#include "net/inflate.h"

#include <stdlib.h>

#define MAX_OUT ((size_t)4 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void unpack(enum tt_encoding encoding, struct tt_str packed)
{
    struct tt_buffer out;
    struct tt_error err = {0};

    tt_buffer_init(&out, MAX_OUT);
    enum tt_status status = tt_decompress(encoding, packed, &out, &err);
    require(out.len <= MAX_OUT);
    require(status == TT_OK || status == TT_INVALID_DATA || status == TT_TOO_LARGE);
    require(status == TT_OK || err.message[0] != '\0');
    tt_buffer_done(&out);
}

static void there_and_back(enum tt_encoding encoding, struct tt_str plain)
{
    struct tt_buffer packed, out;

    tt_buffer_init(&packed, MAX_OUT);
    tt_buffer_init(&out, MAX_OUT);
    require(tt_compress(encoding, 1, plain, &packed, NULL) == TT_OK);
    require(tt_decompress(encoding, tt_buffer_view(&packed), &out, NULL) == TT_OK);
    require(tt_str_equal(tt_buffer_view(&out), plain));
    tt_buffer_done(&packed);
    tt_buffer_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    enum tt_encoding encoding = (enum tt_encoding)(data[0] % 4);
    unpack(encoding, tt_str_of(data + 1, size - 1));
    there_and_back(encoding, tt_str_of(data + 1, size - 1));
    return 0;
}
