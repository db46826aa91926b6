//! Files in git: the only layer that says git2 or notify.
