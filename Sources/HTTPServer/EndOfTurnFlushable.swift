/// Something that gathers what is written within a turn of the loop and sends it when the turn ends.
protocol EndOfTurnFlushable: AnyObject {
    func flushEndOfTurn()
}
