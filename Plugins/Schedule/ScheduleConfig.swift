package import Martlet

/// The fields of `"type": "schedule"`.
package struct ScheduleConfig: ModuleConfig {
    /// What becomes of ticks that passed while the host was down, or the log refused.
    package enum Missed: String, CaseIterable, ConfigValue {
        case once, skip, all
    }

    let cron: ConfigText?
    let everySeconds: Int?
    let timeZone: ConfigText
    let missed: Missed
    let maxMissedEvents: Int
    let place: ConfigPlace

    package init(from fields: inout ConfigFields) {
        place = fields.place
        cron = fields.optional(
            "cron", "When to tick: minute, hour, day of the month, month, day of the week; or `@hourly`, `@daily` and the like.",
            example: "30 2 * * mon-fri")
        everySeconds = fields.optional(
            "every_seconds", in: 1...2_678_400, "Instead of `cron`: tick at whole multiples of this time since 1970 (UTC).", example: 300)
        timeZone = fields.optional("time_zone", default: "UTC", "Whose clock `cron` goes by: UTC or a name of the tz database.", example: "Europe/Berlin")
        missed = fields.optional(
            "missed", default: .once, "Of the ticks that passed while the host was down or the log refused: make up for the newest (`once`), none (`skip`) or `all`.")
        maxMissedEvents = fields.optional("max_missed_events", default: 1000, in: 1...100_000, "The most that `all` makes up for, the newest.")
        if (cron == nil) == (everySeconds == nil) {
            fields.problem(at: "cron", with: ["every_seconds"], "a schedule has either `cron` or `every_seconds`")
        }
    }
}
