import ControlLoop

/// What a step leaves its loop to wait for.
///
/// A step does one thing and returns. Production runs each kind of step in a loop of its own; a simulation runs them
/// one after the other, in any order it likes, and each order must end well.
package enum Wake: Hashable, Sendable {
    /// For nothing: there may be more to do.
    case again
    /// For that time, unless the bell rings first.
    case at(Instant)
    /// For the bell.
    case whenRung
}
