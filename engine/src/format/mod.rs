//! Record batches and file formats, pure.
