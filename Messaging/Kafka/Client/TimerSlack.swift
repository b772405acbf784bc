internal import CRDKafka

/// Lets a client's main thread sleep until its timer is due.
///
/// librdkafka before 2.4 cuts the time to its next timer down to whole milliseconds, wakes before it is due, and turns in
/// a loop for the rest: half a millisecond of processor for every timer, a third of what an idle service takes
/// (https://github.com/confluentinc/librdkafka/pull/4671). With a slack of a millisecond the kernel wakes it after the
/// timer is due. Nothing but timers is later for it: what arrives wakes it as before.
enum TimerSlack {
  #if os(Linux)
    private static let untilDue: UInt = 1_000_000
    /// What threads of this process have.
    private static let usual = UInt(max(0, messaging_timer_slack()))

    /// `configuration` is to be the one that the client is made of: a copy would not have it.
    static func install(in configuration: OpaquePointer?) {
      _ = usual
      rd_kafka_conf_interceptor_add_on_new(configuration, "timer-slack", clientIsMade, nil)
    }

    private static let clientIsMade:
      @convention(c) @Sendable (
        OpaquePointer?, OpaquePointer?, UnsafeMutableRawPointer?, UnsafeMutablePointer<CChar>?, Int
      ) -> rd_kafka_resp_err_t = { client, _, _, _, _ in
        rd_kafka_interceptor_add_on_thread_start(
          client, "timer-slack",
          { _, kind, _, _ in
            // A thread begins with its maker's: those for brokers that are learned of are made by the main thread.
            messaging_set_timer_slack(kind == RD_KAFKA_THREAD_MAIN ? untilDue : usual)
            return RD_KAFKA_RESP_ERR_NO_ERROR
          }, nil)
      }
  #else
    static func install(in configuration: OpaquePointer?) {}
  #endif
}
