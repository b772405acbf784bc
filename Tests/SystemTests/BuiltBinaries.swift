import Testing

/// What a user has in hand: the executables, each in a process of its own. One test at a time: a stack wants the machine
/// for itself.
@Suite(.serialized) enum BuiltBinaries {}
