//! `/websub/callback`: where MOSIP's hub verifies our subscriptions and delivers.

pub(crate) mod delivery;
pub(crate) mod intent;
