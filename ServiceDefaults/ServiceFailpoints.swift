import FaultInjection

/// The moments of a service's life at which it may end.
extension Failpoint {
  /// The store is open and every part is made; nothing runs.
  static let serviceStarting = Failpoint("service.starting")
  /// The shutdown: HTTP has answered what it had, everything else still runs.
  static let serviceStopping = Failpoint("service.stopping")

  /// Every place of this module, for the crash matrix.
  package static let service: [Failpoint] = [serviceStarting, serviceStopping]
}
