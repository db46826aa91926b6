mod editing;
mod hostile;
mod properties;
mod reading;
mod reference;
mod writing;
