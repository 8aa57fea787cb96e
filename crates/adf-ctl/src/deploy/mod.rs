//! Moving an app from one release to another: observe, plan, act.
