import Dispatch
import Foundation

/// The signals that ask a command to end, as they come.
///
/// While this is alive they no longer end the process by themselves. They are taken even where a shell started the
/// process in the background with SIGINT ignored; only a SIGHUP that `nohup` ignored stays so.
final class EndSignals: Sendable {
  /// Each signal that came, in order. Holds at most 16 that nobody has taken yet.
  let received: AsyncStream<Int32>
  /// Made once, cancelled once; a dispatch object may be used from any thread.
  nonisolated(unsafe) private let sources: [any DispatchSourceSignal]

  init(_ signals: [Int32] = [SIGINT, SIGTERM, SIGHUP]) {
    let (stream, continuation) = AsyncStream.makeStream(of: Int32.self, bufferingPolicy: .bufferingNewest(16))
    received = stream
    sources = signals.compactMap { number in
      let before = signal(number, SIG_IGN)
      if number == SIGHUP, unsafeBitCast(before, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self) { return nil }
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { continuation.yield(number) }
      source.resume()
      return source
    }
  }

  deinit {
    for source in sources { source.cancel() }
  }
}
