//! The HTTP surface before a real engine, on a real journal and the shipped country pack. MOSIP and OpenCRVS are not
//! there: what is promised here must not need them.

#[cfg(test)]
mod house;
#[cfg(test)]
mod once;
