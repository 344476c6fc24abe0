// swift-tools-version: 6.2
import PackageDescription

/// The plugins compiled into the host, a name a line; each name is a folder under Plugins/. A new one takes a line here
/// and its modules' lines in Sources/MartletHost/StandardModules.swift.
let plugins: [(name: String, libraries: [Target.Dependency])] = [
    ("Auth", ["CCrypto"]),
    ("Bus", []),
    ("Console", []),
    ("Exec", ["CLinux"]),
    ("Files", []),
    ("Filters", []),
    ("HTTP", []),
    ("JQ", ["CJQ"]),
    ("Kafka", ["CRdKafka"]),
    ("Map", []),
    ("Outbox", []),
    ("PostgreSQL", ["CPQ"]),
    ("Redis", ["CHiredis"]),
    ("SQLSinks", []),
    ("SQLite", ["CSQLite"]),
    ("SSE", []),
    ("Schedule", []),
    ("Webhook", ["CCrypto"]),
]

/// The same strict settings for every Swift target.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// As ``library``, optimised in debug builds as well: the simulator runs thousands of the log's histories in the tests.
func optimised(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(
        name: name, dependencies: dependencies, swiftSettings: strict + [.unsafeFlags(["-O"], .when(configuration: .debug))])
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

let pluginNames: [Target.Dependency] = plugins.map { .target(name: "\($0.name)Plugin") }

let package = Package(
    name: "martlet",
    products: [
        .executable(name: "martlet", targets: ["MartletHost"]),
        .library(name: "Martlet", targets: ["Martlet"]),
        .library(name: "MartletTesting", targets: ["MartletTesting"]),
    ],
    targets: [
        // C libraries from Debian, and the two C++ shims over header-only libraries.
        .systemLibrary(name: "CEvent", pkgConfig: "libevent", providers: [.apt(["libevent-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CHiredis", providers: [.apt(["libhiredis-dev"])]),
        .systemLibrary(name: "CRdKafka", pkgConfig: "rdkafka", providers: [.apt(["librdkafka-dev"])]),
        .systemLibrary(name: "CJQ", providers: [.apt(["libjq-dev", "libonig-dev"])]),
        .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CCRC32C"),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CLinux"),
        .target(name: "CSimdjson", linkerSettings: [.linkedLibrary("simdjson")]),
        .target(name: "CValijson"),

        library("Martlet"),
        optimised("EmbeddedLog", ["CCRC32C", "CLinux", "CLZ4", "CZstd"]),
        optimised("LogSimulator", ["EmbeddedLog"]),
        library("HTTPServer", ["CEvent"]),
        library("Pipelines", ["Martlet", "EmbeddedLog", "HTTPServer", "CCrypto", "CCurl", "CSimdjson", "CValijson"]),
        library("MartletTesting", ["Martlet"]),
        library("Benchmarks", ["CLinux", "CPQ", "CSQLite", "Martlet", "EmbeddedLog", "HTTPServer"]),
        .executableTarget(
            name: "MartletHost",
            dependencies: ["Martlet", "Pipelines", "EmbeddedLog", "LogSimulator", "HTTPServer", "Benchmarks", "MartletTesting"]
                + pluginNames,
            swiftSettings: strict,
            // The SDK's symbols, which plugins loaded at the start are linked against.
            linkerSettings: [.unsafeFlags(["-Xlinker", "--export-dynamic"])]
        ),

        // What several test targets share.
        .target(name: "TestSupport", dependencies: ["CRdKafka"], path: "Tests/TestSupport", swiftSettings: strict),
        tests("MartletTests", ["Martlet", "TestSupport"]),
        tests("EmbeddedLogTests", ["EmbeddedLog", "LogSimulator", "TestSupport"]),
        tests("HTTPServerTests", ["HTTPServer", "CEvent", "TestSupport"]),
        tests("PipelinesTests", pluginNames + ["MartletHost", "Pipelines", "MartletTesting", "Martlet", "TestSupport"]),
        tests("PluginTests", pluginNames + ["CRdKafka", "MartletHost", "MartletTesting", "Martlet", "Pipelines", "TestSupport"]),
        tests("MartletHostTests", ["MartletHost", "MartletTesting", "Benchmarks", "EmbeddedLog", "Martlet", "Pipelines", "TestSupport"]),
        tests("EndToEndTests", ["MartletHost", "EmbeddedLog", "HTTPServer", "CCrypto", "CSQLite", "TestSupport"]),
        tests("TidyTests", []),
    ] + plugins.map { plugin in
        .target(
            name: "\(plugin.name)Plugin",
            dependencies: ["Martlet"] + plugin.libraries,
            path: "Plugins/\(plugin.name)",
            exclude: ["README.md"] + (plugin.name == "Exec" ? ["examples"] : []),
            swiftSettings: strict
        )
    },
    cxxLanguageStandard: .cxx17
)
