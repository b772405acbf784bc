import Testing

@testable import Messaging

@Suite("What a worker leaves out of its log")
struct NoticeThrottleTests {
  @Test func aFewAreToldAndTheOthersCounted() {
    var throttle = NoticeThrottle()

    let told = (0..<1_000).count { throttle.admits(at: .milliseconds($0)) }

    let summaries = [9, 10, 11].map { throttle.summary(at: .seconds($0)) }
    #expect(told == 10 && summaries == [nil, 990, nil])
    let isTold = throttle.admits(at: .seconds(11))
    #expect(isTold)
  }

  @Test func whatComesSlowlyIsAllTold() {
    var throttle = NoticeThrottle()
    let told = (0..<100).count { throttle.admits(at: .seconds($0 * 2)) }
    let leftOut = throttle.summary(at: .seconds(1_000))
    #expect(told == 100 && leftOut == nil)
  }

  @Test func aThousandGarbageRecordsAreAFewLinesAndANumber() {
    var machine = WorkerMachine(configuration: ConsumerWorkerConfiguration(), retry: RetryPolicy())
    var outcome = WorkerOutcome()
    outcome.givenUp = (0..<1_000).map {
      GivenUpEvent(
        eventID: "e\($0)", key: nil, partition: TopicPartition("orders", 0), offset: Int64($0), attempts: 1, error: "")
    }

    let lines = machine.handle(.committed(outcome), at: .zero).count
    let later = machine.handle(.polled([]), at: .seconds(10))

    #expect(lines == 10)
    let numbers = later.compactMap { action -> Int? in
      guard case .notify(.gaveUpMore(let number)) = action else { return nil }
      return number
    }
    #expect(numbers == [990])
  }
}
