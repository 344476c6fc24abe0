// SQLSinks
