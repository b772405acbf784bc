import Synchronization

/// Gathers what is asked of a relay, and wakes its thread once for many requests.
final class RelayBell: Sendable {
  private struct State {
    var wake = RelayWake()
    var isRung = false
    var producer: (any MessageProducer)?
  }

  private let state = Mutex(State())
  private let signal = WakeSignal()

  /// From any thread; never blocks. Most calls during one round of the relay cost a lock and nothing else.
  func ring(_ ask: @Sendable (inout RelayWake) -> Void) {
    let (isFirst, producer) = state.withLock { state in
      ask(&state.wake)
      defer { state.isRung = true }
      return (!state.isRung, state.producer)
    }
    guard isFirst else { return }
    if let producer { producer.wake() } else { signal.wake() }
  }

  /// What has been asked since the last call.
  func answer() -> RelayWake {
    state.withLock { state in
      defer { state = State(producer: state.producer) }
      return state.wake
    }
  }

  /// The relay waits in this producer from now on; with nil in ``wait(atMost:)``.
  func listens(to producer: (any MessageProducer)?) {
    let isRung = state.withLock { state in
      state.producer = producer
      return state.isRung
    }
    if isRung, let producer { producer.wake() }
    if isRung, producer == nil { signal.wake() }
  }

  func wait(atMost timeout: Duration) {
    signal.wait(atMost: timeout)
  }
}
