/// A named place in the code at which a debug build can be told to die, to wait or to fail.
///
/// What a place does is said by ``FailpointPlan`` (the environment), or by ``FaultInjection/withHandler(_:_:)`` on the
/// calling thread. In a release build there is nothing at the place.
///
/// The names of a module are in its own `…Failpoints.swift`, each with the moment it stands for.
public struct Failpoint: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
  public let rawValue: String

  @inlinable
  public init(rawValue: String) { self.rawValue = rawValue }

  /// In a release build a failpoint has no name: none is left in its executables.
  @inlinable
  public init(_ name: @autoclosure () -> String) {
    #if FAULT_INJECTION
      self.init(rawValue: name())
    #else
      self.init(rawValue: "")
    #endif
  }

  public var description: String { rawValue }

  /// Passes a place from which a failure can be thrown.
  ///
  /// - Parameter subject: what is being dealt with (an event's id, a key), for plans that name one.
  /// - Throws: ``InjectedFailure`` where the plan says so.
  @inlinable
  public func hit(_ subject: @autoclosure () -> String = "") throws {
    #if FAULT_INJECTION
      if FaultInjection.isArmed { try FaultInjection.reach(self, subject()) }
    #endif
  }

  /// Passes a place from which nothing can be thrown: a plan's failure has no effect here.
  @inlinable
  public func pass(_ subject: @autoclosure () -> String = "") {
    #if FAULT_INJECTION
      if FaultInjection.isArmed { try? FaultInjection.reach(self, subject()) }
    #endif
  }
}

/// What a failpoint throws when it was told to fail.
public struct InjectedFailure: Error, Sendable, Hashable, CustomStringConvertible {
  public let failpoint: Failpoint

  public init(failpoint: Failpoint) { self.failpoint = failpoint }

  public var description: String { "injected failure at \(failpoint)" }
}
