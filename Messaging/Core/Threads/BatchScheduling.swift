import Foundation

/// Tells the kernel that this process would rather do much than be first.
public enum BatchScheduling {
  /// From here on the calling thread, and those made by it and by them, do not push another thread off its processor when
  /// they are woken: `SCHED_BATCH` of sched(7). Where processors are free they run at once, as before. Where all are
  /// busy they let others finish: what waits for them gathers, and is one batch instead of several, with a commit, a
  /// request and a wake-up each.
  ///
  /// Needs no privilege. Does nothing where the system has no such policy, and where somebody has chosen another one than
  /// the usual for this process (`chrt`, `CPUSchedulingPolicy=`).
  public static func adopt() {
    #if os(Linux)
      guard sched_getscheduler(0) == SCHED_OTHER else { return }
      var parameters = sched_param()
      sched_setscheduler(0, batch, &parameters)
    #endif
  }

  /// `SCHED_BATCH` of <sched.h>, which Swift does not see.
  private static let batch: Int32 = 3
}
