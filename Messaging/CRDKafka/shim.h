#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#ifdef __linux__
#include <sys/prctl.h>

// prctl(2) is variadic, which Swift cannot call.

/// Of the calling thread, in nanoseconds.
static inline int messaging_timer_slack(void) {
  return prctl(PR_GET_TIMERSLACK);
}

static inline int messaging_set_timer_slack(unsigned long nanoseconds) {
  return prctl(PR_SET_TIMERSLACK, nanoseconds);
}
#endif
