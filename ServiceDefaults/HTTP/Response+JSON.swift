import HTTPTypes
import Hummingbird
import NIOCore
import WireFormat

extension Response {
  /// An answer in JSON.
  public static func json(
    _ value: some JSONEncodable, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
  ) -> Response {
    Response(.json(value, status: status, headers: headers))
  }

  /// An answer in JSON that is encoded already.
  public static func json(
    bytes: [UInt8], status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
  ) -> Response {
    Response(.json(bytes: bytes, status: status, headers: headers))
  }

  /// An answer that is a text of some type: `text/html; charset=utf-8`, `message/rfc822`, ...
  public static func text(
    _ text: String, contentType: String, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
  ) -> Response {
    var headers = headers
    headers[.contentType] = contentType
    return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
  }
}
