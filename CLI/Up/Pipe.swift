import Foundation

/// The two ends of a pipe, both closed in every child that is not given one on purpose.
struct DescriptorPipe: Sendable {
  let readEnd: Int32
  let writeEnd: Int32

  /// - Throws: ``Failure`` when the process has too many open files.
  init() throws(Failure) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw Failure("no pipe: \(String(cString: strerror(errno)))") }
    // Away from 0 to 3, which a child's own descriptors are put on.
    let read = fcntl(ends[0], F_DUPFD_CLOEXEC, 10)
    let write = fcntl(ends[1], F_DUPFD_CLOEXEC, 10)
    close(ends[0])
    close(ends[1])
    guard read >= 0, write >= 0 else { throw Failure("no pipe: too many open files") }
    readEnd = read
    writeEnd = write
  }
}
