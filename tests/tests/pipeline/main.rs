//! The main job, end to end, over real sockets: triggers in, MOSIP made to act, records closed.

mod happy;
