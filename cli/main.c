/* SPDX-License-Identifier: Apache-2.0 */
#include "base/thread.h"
#include "cli/cli.h"

#include <malloc.h>

int main(int argc, char **argv)
{
    /* By default glibc makes eight arenas a core, each with free memory of its own. Batches are often freed by another
     * thread than the one that made them: one arena a core is as fast and keeps less. */
    (void)mallopt(M_ARENA_MAX, (int)tt_cpu_count());
    /* What one batch frees the next one needs: without these a quarter of all page faults under load is memory that was just
     * given back. Processors give it back when a load is over (tt_mem_trim). */
    (void)mallopt(M_TRIM_THRESHOLD, 32 << 20);
    (void)mallopt(M_MMAP_THRESHOLD, 8 << 20);
    return tt_cli_main(argc, argv);
}
