//! Pages that stand alone.
