import HTTPTypes
import Hummingbird
import NIOCore
import WireFormat

/// An answer that is there from its head to its end. Of a `Response`, what its body has is only seen by writing it.
public struct WholeAnswer: Sendable {
  public var status: HTTPResponse.Status
  public var headers: HTTPFields
  public var body: ByteBuffer

  public init(status: HTTPResponse.Status, headers: HTTPFields, body: ByteBuffer) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  /// An answer in JSON.
  public static func json(
    _ value: some JSONEncodable, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
  ) -> WholeAnswer {
    json(bytes: value.jsonBytes, status: status, headers: headers)
  }

  /// An answer in JSON that is encoded already.
  static func json(bytes: [UInt8], status: HTTPResponse.Status, headers: HTTPFields) -> WholeAnswer {
    var headers = headers
    headers[.contentType] = "application/json"
    return WholeAnswer(status: status, headers: headers, body: ByteBuffer(bytes: bytes))
  }
}

extension Response {
  /// `answer` with its length.
  public init(_ answer: WholeAnswer) {
    self.init(status: answer.status, headers: answer.headers, body: ResponseBody(byteBuffer: answer.body))
  }
}
