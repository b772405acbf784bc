import Foundation
import Messaging
import Testing

@Suite("Threads", .timeLimit(.minutes(1)))
struct ThreadsTests {
  #if os(Linux)
    @Test func aThreadHasItsNameAndWhatItMakesHasItsScheduling() async throws {
      let (names, policies) = try await DedicatedThread.run(named: "a-long-name-of-a-thread") {
        BatchScheduling.adopt()
        let heir = Heir()
        DedicatedThread.start(named: "heir") { heir.look() }
        heir.seen.wait()
        return ([try Heir.name(), heir.name], [sched_getscheduler(0), heir.policy])
      }

      #expect(names == ["a-long-name-of-", "heir"])
      // SCHED_BATCH
      #expect(policies == [3, 3])
    }

    @Test func aPolicyThatWasChosenStays() async throws {
      let policy = try await DedicatedThread.run(named: "idle") {
        var parameters = sched_param()
        // SCHED_IDLE
        try #require(sched_setscheduler(0, 5, &parameters) == 0)
        BatchScheduling.adopt()
        return sched_getscheduler(0)
      }

      #expect(policy == 5)
    }
  #endif
}

#if os(Linux)
  /// What another thread has found out about itself, once it has been seen.
  private final class Heir: @unchecked Sendable {
    // @unchecked: written before `seen` is signalled, read after it was waited for.
    let seen = DispatchSemaphore(value: 0)
    private(set) var name = ""
    private(set) var policy: Int32 = -1

    func look() {
      name = (try? Self.name()) ?? ""
      policy = sched_getscheduler(0)
      seen.signal()
    }

    static func name() throws -> String {
      try String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8).trimmingCharacters(in: .newlines)
    }
  }
#endif
