import Testing
import WireFormat

@testable import Messaging

@Suite("Values of the core")
struct CoreValuesTests {
  /// From Kafka's own `UtilsTest.testMurmur2`.
  @Test(
    arguments: zip(
      [
        "21", "foobar", "a-little-bit-long-string", "a-little-bit-longer-string",
        "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", "abc",
      ],
      [-973_932_308, -790_332_482, -985_981_536, -1_486_304_829, -58_897_971, 479_470_107] as [Int32]))
  func murmurIsKafkas(_ key: String, _ hash: Int32) {
    #expect(Int32(bitPattern: MurmurPartitioner.hash(Array(key.utf8))) == hash)
  }

  @Test func everyKeyHasAPartition() {
    for length in 0..<50 {
      let partition = MurmurPartitioner.partition(key: Array(repeating: 200, count: length), partitions: 6)
      #expect((0..<6).contains(partition))
    }
    #expect(MurmurPartitioner.partition(key: [1], partitions: 0) == 0)
  }

  @Test func aPlaceIsToldFromVersionAndCursor() {
    #expect(EventPlace(version: nil, cursor: 7) == .unordered)
    #expect(EventPlace(version: 1, cursor: 0) == .next)
    #expect(EventPlace(version: 2, cursor: 0) == .ahead)
    #expect(EventPlace(version: 0, cursor: 0) == .stale)
    #expect(EventPlace(version: .min, cursor: 0) == .stale)
    #expect(EventPlace(version: .max, cursor: 0) == .ahead)
    #expect(EventPlace(version: .max, cursor: .max - 1) == .next)
    #expect(EventPlace(version: .max, cursor: .max) == .stale)
  }

  @Test func everyFailureHasOneDecision() {
    struct Other: Error {}
    #expect(FailureClassification(Other()) == .retry)
    #expect(FailureClassification(DeadLetterError("why")) == .deadLetter(reason: "why"))
    #expect(FailureClassification(StoreUnavailable("full")) == .waitForStore(reason: "full"))
    #expect(FailureClassification(StopConsuming("damaged")) == .stop(reason: "damaged"))
  }

  @Test func readingStartsAtTheLowerOfStoreAndGroup() {
    func start(_ stored: Int64?, _ committed: Int64?, from logStart: Int64 = 0) -> StartDecision {
      StartDecision(
        stored: stored,
        state: CommittedState(committed: committed, logStart: logStart, logEnd: 100, clusterID: "c"))
    }
    #expect(start(7, 9).start == .offset(7))
    #expect(start(9, 7).start == .offset(7))
    #expect(start(100, 100).start == .offset(100))
    #expect(start(nil, 9).reason == .notInStore)
    #expect(start(7, nil).reason == .notCommitted)
    #expect(start(101, 101).reason == .outOfRange)
    #expect(start(7, 7, from: 8).reason == .outOfRange)
    for decision in [start(nil, 9), start(7, nil), start(101, 101), start(7, 7, from: 8), .storeUnreadable] {
      #expect(decision.start == .earliest)
    }
  }

  @Test func aQueueKeepsItsOrder() {
    var queue = Queue<Int>()
    var expected: [Int] = []
    var random = SeededRandom(seed: 4)
    for number in 0..<5_000 {
      switch Int.random(in: 0..<4, using: &random) {
      case 0, 1:
        queue.append(number)
        expected.append(number)
      case 2: #expect(queue.popFirst() == (expected.isEmpty ? nil : expected.removeFirst()))
      default:
        let removed = min(Int.random(in: 0..<3, using: &random), expected.count)
        queue.removeFirst(removed)
        expected.removeFirst(removed)
      }
      #expect(queue.count == expected.count && queue.first == expected.first && queue.last == expected.last)
    }
    queue.prepend(contentsOf: [-2, -1])
    #expect(Array(queue) == [-2, -1] + expected)
  }

  @Test func aWakeBeforeTheWaitIsNotLost() async throws {
    let signal = WakeSignal()
    signal.wake()
    #expect(try await DedicatedThread.run(named: "test") { signal.wait(atMost: .seconds(60)) })
    #expect(!signal.wait(atMost: .zero))
  }

  @Test func aThreadHandsOnWhatItsBodyThrows() async {
    await #expect(throws: StopConsuming.self) {
      try await DedicatedThread.run(named: "test") { throw StopConsuming("here") }
    }
  }

  @Test func backoffStaysBelowItsCeiling() {
    var random = SeededRandom(seed: 1)
    let policy = RetryPolicy(maxAttempts: 3, initialBackoff: .milliseconds(100), maxBackoff: .seconds(1))
    #expect(policy.ceiling(afterAttempt: 1) == .milliseconds(100))
    #expect(policy.ceiling(afterAttempt: 3) == .milliseconds(400))
    #expect(policy.ceiling(afterAttempt: .max) == .seconds(1))
    for attempt in 1..<100 {
      #expect(policy.backoff(afterAttempt: attempt, using: &random) <= policy.ceiling(afterAttempt: attempt))
    }
  }
}
