package dev.maas.stellar;

import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Set when whoever started this program closes its standard input. */
final class Stop {
  private final CountDownLatch requested = new CountDownLatch(1);

  private Stop() {}

  static Stop whenInputEnds() {
    Stop stop = new Stop();
    Thread reader =
        new Thread(
            () -> {
              try {
                System.in.transferTo(java.io.OutputStream.nullOutputStream());
              } catch (IOException gone) {
                // As good as its end.
              }
              stop.requested.countDown();
            },
            "standard-input");
    reader.setDaemon(true);
    reader.start();
    return stop;
  }

  boolean requested() {
    return requested.getCount() == 0;
  }

  /** Waits, at most so many milliseconds. */
  void await(long millis) {
    try {
      requested.await(millis, TimeUnit.MILLISECONDS);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Waits until the latch is down, for at most so long, and no longer than 5 s after a stop. */
  boolean awaitOver(CountDownLatch over, long nanos) throws InterruptedException {
    long end = System.nanoTime() + nanos;
    while (System.nanoTime() < end) {
      if (over.await(requested() ? 5_000 : 50, TimeUnit.MILLISECONDS)) {
        return true;
      }
      if (requested()) {
        return over.await(5, TimeUnit.SECONDS);
      }
    }
    return over.getCount() == 0;
  }
}
