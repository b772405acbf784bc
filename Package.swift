// swift-tools-version: 6.1
import PackageDescription

/// Warnings are errors in every build that the Makefile or CI starts. A package that merely depends on this one
/// must not inherit an unsafe flag, so the switch is the environment's and not the manifest's.
let strictness: [SwiftSetting] =
  Context.environment["WARNINGS_AS_ERRORS"] == "1" ? [.unsafeFlags(["-warnings-as-errors"])] : []

let settings: [SwiftSetting] = strictness + [.enableUpcomingFeature("ExistentialAny")]

extension Target.Dependency {
  static let logging = product(name: "Logging", package: "swift-log")
  static let metrics = product(name: "Metrics", package: "swift-metrics")
  static let coreMetrics = product(name: "CoreMetrics", package: "swift-metrics")
  static let serviceLifecycle = product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
  static let configuration = product(name: "Configuration", package: "swift-configuration")
  static let grdb = product(name: "GRDB", package: "GRDB.swift")
  static let grdbSQLite = product(name: "GRDBSQLite", package: "GRDB.swift")
  static let hummingbird = product(name: "Hummingbird", package: "hummingbird")
  static let hummingbirdCore = product(name: "HummingbirdCore", package: "hummingbird")
  static let hummingbirdTesting = product(name: "HummingbirdTesting", package: "hummingbird")
  static let httpTypes = product(name: "HTTPTypes", package: "swift-http-types")
  static let nioCore = product(name: "NIOCore", package: "swift-nio")
  static let nioPosix = product(name: "NIOPosix", package: "swift-nio")
  static let nioHTTP1 = product(name: "NIOHTTP1", package: "swift-nio")
  static let nioHTTPTypes = product(name: "NIOHTTPTypes", package: "swift-nio-extras")
  static let nioHTTPTypesHTTP1 = product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras")
  static let asyncHTTPClient = product(name: "AsyncHTTPClient", package: "async-http-client")
  static let crypto = product(name: "Crypto", package: "swift-crypto")
  static let argumentParser = product(name: "ArgumentParser", package: "swift-argument-parser")
}

let package = Package(
  name: "orderflow",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "Messaging", targets: ["Messaging", "MessagingSQLite", "MessagingKafka"]),
    .library(name: "EventSchema", targets: ["EventSchema"]),
    .executable(name: "OrderService", targets: ["OrderService"]),
    .executable(name: "InventoryService", targets: ["InventoryService"]),
    .executable(name: "NotificationService", targets: ["NotificationService"]),
    .executable(name: "orderflow", targets: ["orderflow"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(
      url: "https://github.com/apple/swift-configuration", from: "1.4.0",
      traits: ["CommandLineArguments", "JSON"]),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.0"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
  ],
  targets: [
    // What two services agree on: the wire format (JSON with exact numbers, RFC 3339, UUIDv7), and the events.
    .target(name: "WireFormat", path: "WireFormat", swiftSettings: settings),
    .target(
      name: "EventSchema", dependencies: ["WireFormat"], path: "EventSchema", swiftSettings: settings),

    // Places at which a debug build can be told to die, wait or fail, and classic bugs that it can be told to have.
    // In a release build nothing of it is left.
    .target(
      name: "FaultInjection", path: "FaultInjection",
      swiftSettings: settings + [.define("FAULT_INJECTION", .when(configuration: .debug))]),

    // What any service needs to talk through Kafka safely.
    .target(
      name: "Messaging",
      dependencies: ["FaultInjection", "WireFormat", .crypto, .logging, .metrics, .serviceLifecycle],
      path: "Messaging/Core", swiftSettings: settings),
    .target(
      name: "MessagingSQLite",
      dependencies: [
        "CSQLite", "FaultInjection", "Messaging", "WireFormat", .grdb, .grdbSQLite, .logging, .metrics,
        .serviceLifecycle,
      ],
      path: "Messaging/SQLite", swiftSettings: settings),
    .systemLibrary(
      name: "CSQLite", path: "Messaging/CSQLite",
      providers: [.apt(["libsqlite3-dev"]), .brew(["sqlite3"])]),
    .target(
      name: "MessagingKafka", dependencies: ["FaultInjection", "Messaging", "CRDKafka", .logging, .metrics],
      path: "Messaging/Kafka", swiftSettings: settings),
    .systemLibrary(
      name: "CRDKafka", path: "Messaging/CRDKafka", pkgConfig: "rdkafka",
      providers: [.apt(["librdkafka-dev"]), .brew(["librdkafka"])]),

    .target(
      name: "ServiceDefaults",
      dependencies: [
        "EventSchema", "FaultInjection", "WireFormat", "Messaging", "MessagingSQLite", "MessagingKafka",
        .configuration, .coreMetrics, .crypto, .grdb, .httpTypes, .hummingbird, .hummingbirdCore, .logging, .metrics,
        .nioCore, .nioHTTP1, .nioHTTPTypes, .nioHTTPTypesHTTP1, .nioPosix, .serviceLifecycle,
      ],
      path: "ServiceDefaults", swiftSettings: settings),

    // The services: a library that tests link, and a thin executable over it.
    service("Orders", path: "OrderService/Orders"),
    main("OrderService", over: "Orders"),
    service("Inventory", path: "InventoryService/Inventory"),
    main("InventoryService", over: "Inventory"),
    service("Notifications", path: "NotificationService/Notifications", and: ["CCurl"]),
    main("NotificationService", over: "Notifications"),
    .systemLibrary(
      name: "CCurl", path: "NotificationService/CCurl", pkgConfig: "libcurl",
      providers: [.apt(["libcurl4-openssl-dev"]), .brew(["curl"])]),

    .executableTarget(
      name: "orderflow",
      dependencies: [
        "EventSchema", "WireFormat", "Messaging", "MessagingKafka",
        .argumentParser, .asyncHTTPClient, .grdb, .logging, .nioCore,
      ],
      path: "CLI", swiftSettings: settings),

    // The limits that `make bench` holds the product against.
    .executableTarget(
      name: "orderflow-limits",
      dependencies: [
        "EventSchema", "Inventory", "Messaging", "MessagingKafka", "MessagingSQLite", "Notifications", "Orders",
        "ServiceDefaults", "WireFormat", .argumentParser, .grdbSQLite, .httpTypes, .hummingbird, .logging, .nioPosix,
      ],
      path: "Benchmarks/Limits", swiftSettings: settings),

    .target(
      name: "TestSupport", dependencies: ["WireFormat", .asyncHTTPClient, .nioCore],
      path: "Tests/TestSupport", exclude: ["Mail/sink.py"], swiftSettings: settings),
    tests("WireFormatTests", of: ["WireFormat"]),
    tests("FaultInjectionTests", of: ["FaultInjection"]),
    tests("EventSchemaTests", of: ["EventSchema", "WireFormat"], resources: [.copy("Golden")]),
    tests(
      "MessagingTests", of: ["FaultInjection", "Messaging", "MessagingSQLite", "MessagingKafka", "WireFormat"],
      and: [.grdb]),
    tests(
      "ServiceDefaultsTests",
      of: ["ServiceDefaults", "WireFormat", "EventSchema", "Messaging", "MessagingSQLite", "MessagingKafka"],
      and: [
        .coreMetrics, .httpTypes, .hummingbird, .hummingbirdTesting, .logging, .nioCore, .nioPosix, .serviceLifecycle,
      ]),
    tests(
      "ServicesTests",
      of: [
        "Orders", "Inventory", "Notifications", "EventSchema", "FaultInjection", "WireFormat", "Messaging",
        "MessagingSQLite",
        "ServiceDefaults",
      ], and: [.hummingbird, .hummingbirdTesting, .httpTypes, .grdb, .logging, .serviceLifecycle]),
    tests(
      "SimulationTests",
      of: [
        "Orders", "Inventory", "Notifications", "EventSchema", "FaultInjection", "WireFormat", "Messaging",
        "MessagingSQLite", "ServiceDefaults",
      ], and: [.grdb, .logging]),
    tests("OrderflowTests", of: ["orderflow", "EventSchema", "WireFormat", "Messaging"]),
    tests(
      "SystemTests",
      of: [
        "EventSchema", "FaultInjection", "WireFormat", "Messaging", "MessagingSQLite", "MessagingKafka",
        "ServiceDefaults", "Orders", "Inventory", "Notifications",
      ], and: [.grdb, .logging],
      exclude: ["Interoperation", "OutsidePackage"]),
  ],
  swiftLanguageModes: [.v6]
)

func service(_ name: String, path: String, and dependencies: [Target.Dependency] = []) -> Target {
  .target(
    name: name,
    dependencies: [
      "EventSchema", "FaultInjection", "WireFormat", "Messaging", "MessagingSQLite", "ServiceDefaults",
      .grdb, .hummingbird, .httpTypes, .logging, .metrics, .nioCore, .serviceLifecycle,
    ] + dependencies,
    path: path, swiftSettings: settings)
}

func main(_ name: String, over library: String) -> Target {
  .executableTarget(
    name: name, dependencies: [.target(name: library), "ServiceDefaults"], path: "\(name)/Main",
    swiftSettings: settings)
}

func tests(
  _ name: String, of targets: [String], and products: [Target.Dependency] = [], resources: [Resource] = [],
  exclude: [String] = []
) -> Target {
  .testTarget(
    name: name, dependencies: (targets + ["TestSupport"]).map { .target(name: $0) } + products,
    path: "Tests/\(name)", exclude: exclude, resources: resources, swiftSettings: settings)
}
