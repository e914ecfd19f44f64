// SPDX-License-Identifier: Apache-2.0
package shop;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * Burns CPU within a share of one core: all requests take turns at it, and each slice of work is followed by the rest that keeps the
 * share. Requests wait as they would on a saturated service, and the other services on the machine do not.
 */
final class CpuBurner {
    private static final long SLICE_NANOS = 10_000_000;

    private final double share;
    private byte[] block = new byte[4096];

    CpuBurner(double share) {
        this.share = Math.min(1.0, Math.max(0.05, share));
    }

    synchronized void burn(long millis) throws InterruptedException, NoSuchAlgorithmException {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        long left = millis * 1_000_000;
        while (left > 0) {
            long begin = System.nanoTime();
            while (System.nanoTime() - begin < SLICE_NANOS)
                block[0] = digest.digest(block)[0];
            left -= SLICE_NANOS;
            Thread.sleep((long) (SLICE_NANOS / 1e6 * (1 / share - 1)));
        }
    }
}
