//! Reads rows of numbers from standard input and prints their probabilities: embed_rust MODEL.onnx < rows
use std::ffi::{c_char, c_void, CStr, CString};
use std::{env, error::Error, io, mem, ptr};

// What is needed of maas_c.h. A handle, maas_model or maas_scratch, is a pointer that only the library follows.
type Handle = *mut c_void;
const FLOAT64: i32 = 1;

#[repr(C)]
struct Array(*const f64, i32, isize, isize); // data, dtype, bytes from row to row and from item to item

#[repr(C)]
struct Value(usize, *const c_char, i32, usize, *const i64, usize); // name, dtype, rank, shape, items of a row

extern "C" {
    fn maas_open(path: *const c_char, outputs: *const *const c_char, n: usize, model: *mut Handle) -> i32;
    fn maas_close(model: Handle);
    fn maas_error(model: Handle) -> *const c_char;
    fn maas_input(model: Handle, index: usize, value: *mut Value) -> i32;
    fn maas_output(model: Handle, index: usize, value: *mut Value) -> i32;
    fn maas_scratch_new(model: Handle, rows: usize, scratch: *mut Handle) -> i32;
    fn maas_scratch_free(scratch: Handle);
    fn maas_scratch_error(scratch: Handle) -> *const c_char;
    fn maas_run(s: Handle, x: *const Array, inputs: usize, rows: usize, y: *const *mut f64, n: usize) -> i32;
}

/// The probabilities of the rows in `x`, row after row, and how many a row has.
unsafe fn predict(model: Handle, scratch: Handle, x: &[f64]) -> Result<(Vec<f64>, usize), String> {
    let (mut input, mut output): (Value, Value) = (mem::zeroed(), mem::zeroed());
    maas_input(model, 0, &mut input);
    maas_output(model, 0, &mut output);
    let (Value(.., FLOAT64, _, _, columns), Value(.., FLOAT64, _, _, classes)) = (input, output) else {
        return Err("expected a model of float64".into());
    };
    let (rows, item) = (x.len() / columns, mem::size_of::<f64>() as isize);
    let mut y = vec![0.0; rows * classes];
    let array = Array(x.as_ptr(), FLOAT64, columns as isize * item, item);
    if maas_run(scratch, &array, 1, rows, &y.as_mut_ptr(), 1) != 0 {
        return Err(words(maas_scratch_error(scratch)));
    }
    Ok((y, classes))
}

unsafe fn words(text: *const c_char) -> String {
    CStr::from_ptr(text).to_string_lossy().into_owned()
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = CString::new(env::args().nth(1).unwrap_or_default())?;
    let text = io::read_to_string(io::stdin())?;
    let x = text.split_whitespace().map(str::parse).collect::<Result<Vec<f64>, _>>()?;
    let (mut model, mut scratch) = (ptr::null_mut(), ptr::null_mut());
    let answer = unsafe {
        let opened = maas_open(path.as_ptr(), &c"predict_proba".as_ptr(), 1, &mut model) == 0;
        maas_scratch_new(model, 1, &mut scratch);
        let answer = if opened { predict(model, scratch, &x) } else { Err(words(maas_error(model))) };
        maas_scratch_free(scratch);
        maas_close(model);
        answer
    };
    let (y, classes) = answer?;
    for row in y.chunks(classes) {
        println!("{}", row.iter().map(f64::to_string).collect::<Vec<_>>().join(" "));
    }
    Ok(())
}
