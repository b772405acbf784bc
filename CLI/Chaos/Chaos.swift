import ArgumentParser
import Foundation

/// Breaks a stack of its own in every way there is, and judges what is left.
struct Chaos: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Starts a stack of its own, loads it, breaks it at random, and checks every invariant.",
    discussion: """
      Faults, for --faults with commas between: kill (kill -9), restart (SIGTERM), pause (SIGSTOP, often past the \
      session timeout), broker (down and up), errors (answers of the broker), delay (its round trips), leader (a \
      partition without one: late and reordered against others), copies (of earlier records), garbage, disk (full; \
      it takes Linux and the right to mount in a namespace of its own, as root has, and is left out elsewhere).

      The plan of faults follows from --seed, --seconds and --faults alone; --plan prints it. After the last fault it \
      waits until all is quiet, runs the checks of `verify` and some that only the culprit can, and prints the \
      verdict. Ends with 0 only if nothing broke. Ctrl-C ends it without a verdict.
      """)

  @Option(help: ArgumentHelp("How long to break things.", valueName: "seconds"))
  var seconds = 60

  @Option(help: ArgumentHelp("What the plan is made from. (default: a random one, printed)", valueName: "n"))
  var seed: UInt64?

  @Option(
    help: ArgumentHelp("Which kinds of faults. (default: all)", valueName: "kind,..."), transform: Self.kinds)
  var faults: Set<FaultKind> = Set(FaultKind.allCases)

  @Option(help: "How many processes of each service.")
  var instances = 1

  @Option(help: ArgumentHelp("Orders a second.", valueName: "n"))
  var rate = 30.0

  @Option(help: ArgumentHelp("How long the stack may take to become quiet.", valueName: "seconds"))
  var settle = 120

  @Flag(help: "Leaves stores and logs in place; those of a run in which something broke stay anyway.")
  var keep = false

  @Flag(help: "Prints the plan and does nothing.")
  var plan = false

  @Flag(help: "Prints the verdict as JSON, and the faults to standard error.")
  var json = false

  func validate() throws {
    guard (1...604_800).contains(seconds) else { throw ValidationError("--seconds has to be from 1 to 604800") }
    guard (1...20).contains(instances) else { throw ValidationError("--instances has to be from 1 to 20") }
    guard rate >= 0.1, rate <= 10_000 else { throw ValidationError("--rate has to be from 0.1 to 10000") }
    guard (1...86_400).contains(settle) else { throw ValidationError("--settle has to be from 1 to 86400 seconds") }
  }

  func run() async throws {
    let plan = ChaosPlan(seed: seed ?? .random(in: 0...999_999), length: .seconds(seconds), kinds: faults)
    let output = json ? Output.error : Output.standard
    guard !self.plan else { return show(plan) }
    let refusal = plan.steps.contains { $0.fault.kind == .disk } ? enterNamespace(plan.seed) : nil
    let place = try ChaosPlace(withDisk: refusal == nil && MountNamespace.isEntered)
    output.line("chaos for \(seconds) s, seed \(plan.seed); stores and logs in \(place.directory)")
    if let refusal { output.line("the full disk is left out: this machine does not allow it (\(refusal.printable))") }
    let run = ChaosRun(
      plan: plan, instances: instances, ordersPerSecond: rate, settle: .seconds(settle), paths: place.paths,
      disk: place.disk, say: { output.line($0) })
    let signals = EndSignals()
    let work = Task { try await run.run() }
    let listener = Task {
      var isFirst = true
      for await _ in signals.received {
        // The services notice the end of this process by a pipe that closes.
        guard isFirst else { Foundation.exit(1) }
        isFirst = false
        output.line("stopping; there will be no verdict")
        work.cancel()
      }
    }
    defer { listener.cancel() }
    do {
      var verdict = try await work.value
      verdict.keptAt = try place.leave(keeping: keep || !verdict.holds)
      report(verdict)
      guard verdict.holds else { throw ExitCode.failure }
    } catch is CancellationError {
      _ = try place.leave(keeping: keep)
      throw ExitCode.failure
    } catch let failure as Failure {
      let kept = try place.leave(keeping: true)
      throw Failure("\(failure)\n(seed \(plan.seed); stores and logs are in \(kept ?? place.directory))")
    }
  }

  private func show(_ plan: ChaosPlan) {
    guard !json else { return Output.standard.line(bytes: plan.jsonBytes) }
    Output.standard.line("seed \(plan.seed), \(seconds) s, \(plan.steps.count) faults")
    for line in plan.lines() { Output.standard.line(line) }
  }

  /// Starts anew in a namespace where a small disk can be mounted; returns at once where this is one.
  ///
  /// - Returns: why it is not possible; nil where it is.
  private func enterNamespace(_ seed: UInt64) -> String? {
    // The new start has to make the same plan.
    MountNamespace.isEntered ? nil : MountNamespace.enter(adding: self.seed == nil ? ["--seed", String(seed)] : [])
  }

  private func report(_ verdict: ChaosVerdict) {
    guard !json else { return Output.standard.line(bytes: verdict.jsonBytes) }
    for line in verdict.lines(palette: Output.standard.palette) { Output.standard.line(line) }
  }

  @Sendable private static func kinds(_ text: String) throws -> Set<FaultKind> {
    Set(
      try text.split(separator: ",").map { name in
        guard let kind = FaultKind(rawValue: name.trimmingCharacters(in: .whitespaces)) else {
          let known = FaultKind.allCases.map(\.rawValue).joined(separator: ", ")
          throw ValidationError("'\(String(name).printable)' is no kind of fault; there are \(known)")
        }
        return kind
      })
  }
}

/// The temporary directory of a run, with the small disk in it.
private struct ChaosPlace {
  let directory: String
  let disk: SmallDisk?

  var paths: StatePaths { StatePaths(directory: directory, stores: "\(directory)/stores") }

  init(withDisk: Bool) throws {
    let temporary = FileManager.default.temporaryDirectory
    directory = temporary.appendingPathComponent("orderflow-chaos-\(UUID().uuidString.prefix(8))").path
    try FileManager.default.createDirectory(atPath: "\(directory)/stores", withIntermediateDirectories: true)
    disk = withDisk ? try SmallDisk(at: "\(directory)/stores") : nil
  }

  /// Removes everything, or keeps it, the stores too when they lie on a disk that goes with this process.
  ///
  /// - Returns: where it is kept.
  func leave(keeping: Bool) throws -> String? {
    guard keeping else {
      disk?.unmount()
      try FileManager.default.removeItem(atPath: directory)
      return nil
    }
    if let disk {
      let copy = "\(directory)/kept"
      try FileManager.default.copyItem(atPath: disk.path, toPath: copy)
      disk.unmount()
      try FileManager.default.removeItem(atPath: disk.path)
      try FileManager.default.moveItem(atPath: copy, toPath: disk.path)
    }
    return directory
  }
}
