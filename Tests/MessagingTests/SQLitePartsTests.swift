import Foundation
import Messaging
import Testing

@testable import MessagingSQLite

@Suite("Parts of the SQLite stores")
struct SQLitePartsTests {
  @Test func thisProcessIsKnownAndRunning() {
    let holder = LeaseHolder.currentProcess(name: "me")

    #expect(holder.processStartedAt > 0)
    #expect(ProcessTable.isRunning(holder.processID, startedAt: holder.processStartedAt))
    #expect(!ProcessTable.isRunning(holder.processID, startedAt: holder.processStartedAt + 1))
    #expect(!ProcessTable.machine.isEmpty)
  }

  @Test func aDeadProcessThatNobodyHasBuriedYetIsGone() throws {
    // The shell starts a child and becomes a program that never asks for it: the child stays a zombie.
    let parent = Process()
    let output = Pipe()
    parent.executableURL = URL(fileURLWithPath: "/bin/sh")
    parent.arguments = ["-c", "sh -c 'exit 0' & echo $!; exec sleep 60"]
    parent.standardOutput = output
    try parent.run()
    defer { parent.terminate() }
    let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
    let child = try #require(Int32(line.trimmingCharacters(in: .whitespacesAndNewlines)))

    // It is gone in the end whether the shell buried it or not.
    while ProcessTable.state(of: child) != .gone { sched_yield() }
    #expect(ProcessTable.state(of: parent.processIdentifier) != .gone)
  }

  @Test func theWriteQueueWakesASleepingWriterOnce() throws {
    var queue = WriteQueue(maximumBatch: 2, maximumWaiting: 3)
    let jobs = (0..<3).map { _ in PendingWrite({ _ in }, answer: { _ in }) }

    guard case .sleep = queue.next() else { return #expect(Bool(false), "there is nothing to do") }
    #expect(try queue.add(jobs[0]))
    #expect(try !queue.add(jobs[1]))
    #expect(try !queue.add(jobs[2]))
    #expect(throws: StoreUnavailable.self) { try queue.add(jobs[0]) }
    let isWokenToStop = queue.stop()
    #expect(!isWokenToStop)
    #expect(throws: StoreUnavailable.self) { try queue.add(jobs[0]) }

    guard case .write(let first) = queue.next(), case .write(let second) = queue.next(), case .stop = queue.next()
    else {
      return #expect(Bool(false), "two batches, then the end")
    }
    #expect(first.map { ObjectIdentifier($0) } == jobs.prefix(2).map { ObjectIdentifier($0) })
    #expect(second.map { ObjectIdentifier($0) } == jobs.suffix(1).map { ObjectIdentifier($0) })
  }
}
