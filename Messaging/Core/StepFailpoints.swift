import FaultInjection

/// The places between any two things that a loop does. A simulation lets a process die there, or lets others do something
/// in between; they are no part of a crash matrix, whose places have names of their own.
extension Failpoint {
  /// Before each thing that a relay does; the subject says which. A failure here is the relay's end: it does nothing more.
  package static let relayStep = Failpoint("relay.step")
  /// Before each thing that a consumer worker does; the subject says which. A failure here ends the worker.
  package static let workerStep = Failpoint("worker.step")
}

extension RelayAction {
  var name: String {
    switch self {
    case .acquireLease: "acquire lease"
    case .renewLease: "renew lease"
    case .releaseLease: "release lease"
    case .readPublicationState: "read publication state"
    case .askClusterID: "ask cluster id"
    case .askTopics: "ask topics"
    case .askWatermarks: "ask watermarks"
    case .bind: "bind"
    case .beginEpoch: "begin epoch"
    case .continueEpoch: "continue epoch"
    case .askCommitted: "ask committed"
    case .read: "read"
    case .send: "send"
    case .mark: "mark"
    case .replaceProducer: "replace producer"
    case .prepareProducer: "prepare producer"
    case .notify: "notify"
    case .finish: "finish"
    }
  }
}

extension WorkerMachine.Action {
  var name: String {
    switch self {
    case .transact: "transact"
    case .store: "store offsets"
    case .pause: "pause"
    case .resume: "resume"
    case .notify: "notify"
    }
  }
}
