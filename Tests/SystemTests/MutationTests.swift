import FaultInjection
import Foundation
import TestSupport
import Testing

extension BuiltBinaries {
  /// The proof that the tests would notice: with each classic bug switched on, the test that is there for it fails.
  @Suite struct MutationTests {
    @Test(.timeLimit(.minutes(10)))
    func eachClassicBugIsCaughtByItsTest() async throws {
      let tests = Set(Mutation.allCases.map(\.test))
      let sound = try await TestRun(of: tests)
      #expect(sound.hasPassed && tests.allSatisfy(sound.mentions), "without a mutation:\n\(sound.output.suffix(4_000))")

      let width = Mutation.allCases.map(\.rawValue.count).max() ?? 0
      for mutation in Mutation.allCases {
        let run = try await TestRun(of: [mutation.test], with: mutation)
        let isCaught = run.hasFailed(mutation.test)
        let name = mutation.rawValue.padding(toLength: width, withPad: " ", startingAt: 0)
        print("mutation \(name)  \(isCaught ? "caught by" : "SURVIVES") \(mutation.test)")
        #expect(isCaught, "\(mutation.rawValue), exit status \(run.status):\n\(run.output.suffix(4_000))")
      }
    }
  }
}

extension Mutation {
  /// The test that fails with it.
  fileprivate var test: String {
    switch self {
    case .markBeforeReport: "nothingIsMarkedBeforeItsReport"
    case .markAfterFailure: "anOutageInTheMiddleLosesNothing"
    case .leaseForEverybody: "ofTwoRelaysOneStandsByAndTakesOver"
    case .leaseTokenUnchecked: "aStaleTokenIsRefusedByTheStoreEvenIfTheRelayKnowsNothing"
    case .keyGoesOnAfterFailure: "aFailureStopsItsKeyAndNotTheTable"
    case .manyUnacknowledgedPerKey: "atMostOneRowOfAKeyIsUnacknowledged"
    case .lastSeenCursor: "rowsThatBecameUnpublishedAgainArePublishedAgain"
    case .lostDataUnnoticed: "anotherClusterGetsEverythingAgain"
    case .traceOfTheDelivery: "twoRequestsInOneRelayBatchKeepTheirTracesToTheEnd"
    case .offsetBeforeCommit: "aStoreThatIsAwayForAWhileLosesNothingAndCountsNoAttempt"
    case .offsetBeyondFailure: "anAttemptThatFailsLeavesNothingAndIsMadeAgain"
    case .startAtCommittedOffset: "aStoreFromYesterdayReadsAgainWhatItHasForgotten"
    case .startAtLatest: "aNewBrokerIsReadFromItsBeginning"
    case .dedupAfterCommit: "anUnorderedEventIsHandledOnceWithoutACursor"
    case .dedupSurvivesFailure: "poisonIsADeadLetterAfterThreeAttemptsWhileOtherKeysFlow"
    case .cursorJumpsGap: "versionThreeBeforeTwoIsParkedAndThenHandled"
    case .successorsForgotten: "aParkedEventThatFailsOnceFollowsAfterARestart"
    case .deadLetterAfterCommit: "aDeadLetterAndItsPublicationAreBothThereOrNeither"
    case .redriveIsADuplicate: "aRedriveHandlesTheEventAndWhatIsParkedBehindItInOrder"
    case .redriveEachTime: "aRedriveAskedForTwiceHasOneEffect"
    case .storeTroubleIsAnAttempt: "aHandlerThatFindsTheStoreFullWaitsWithTheWholeBatch"
    case .sleepBetweenAttempts: "aPartitionThatWaitsForItsRetryHoldsUpNoOther"
    case .synchronousNormal: "commitsAreSynced"
    case .deferredTransaction: "twoInstancesOnOneFileNeitherFailNorLoseAWrite"
    case .idempotencyKeyBeforeOrder: "onlyAnOrderThatWasPlacedTakesItsKey"
    case .lastWriteWins: "answersForACancelledOrderChangeAndTellNothing"
    case .releaseTwice: "aCancelledOrderGivesBackWhatItHasOnce"
    case .cancellationForgotten: "aReserveThatComesAfterItsCancellationIsRefused"
    case .reserveInPart: "anOrderGetsAllOfItsItemsOrNone"
    }
  }
}

/// Some tests of this bundle, run in a process of their own.
private struct TestRun {
  let status: Int32
  let output: String

  init(of tests: Set<String>, with mutation: Mutation? = nil) async throws {
    let own = CommandLine.arguments
    // On macOS the process is a helper that is told where the bundle lies.
    let bundle = own.firstIndex(of: "--test-bundle-path").map { Array(own[$0...].prefix(2)) } ?? []
    let filter = "[./](\(tests.sorted().joined(separator: "|")))\\("
    (status, output) = try await ChildProcess.run(
      URL(fileURLWithPath: own[0]), bundle + ["--testing-library", "swift-testing", "--filter", filter],
      environment: mutation.map { ["MUTATION": $0.rawValue] } ?? [:])
  }

  var hasPassed: Bool { status == 0 && output.contains(#/Test run with .* passed/#) }

  func mentions(_ test: String) -> Bool { output.contains("Test \(test)(") }

  /// Whether the test has failed by what it expects, and not by a crash, or by not being there.
  func hasFailed(_ test: String) -> Bool {
    guard status > 0, status < 128 else { return false }
    let lines = output.split(separator: "\n")
    return lines.contains { $0.contains("Test \(test)(") && $0.contains(#/ failed after .* with [0-9]+ issue/#) }
  }
}
