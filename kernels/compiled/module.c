// The module isograd.kernels.compiled._loops: the loops by name.

#include "loops.h"

#define ENTRY(name) {#name, (PyCFunction)(void (*)(void))name, METH_FASTCALL, NULL}

static PyMethodDef functions[] = {
    ENTRY(activated),
    ENTRY(adam),
    ENTRY(attention),
    ENTRY(attention_backward),
    ENTRY(attention_scratch),
    ENTRY(bias_added),
    ENTRY(channel_moments),
    ENTRY(channel_sums),
    ENTRY(channels_scaled),
    ENTRY(convolution),
    ENTRY(convolution_packed),
    ENTRY(convolution_sizes),
    ENTRY(convolution_weights),
    ENTRY(dactivated),
    ENTRY(dchannels),
    ENTRY(dlog_softmax),
    ENTRY(dnormalized),
    ENTRY(drectified),
    ENTRY(dsoftmax),
    ENTRY(log_softmax),
    ENTRY(lstm_backward),
    ENTRY(lstm_forward),
    ENTRY(normalized),
    ENTRY(pack),
    ENTRY(rectified),
    ENTRY(rmsprop),
    ENTRY(row_exponentials),
    ENTRY(sgd),
    ENTRY(softmax),
    ENTRY(window_max),
    ENTRY(window_max_backward),
    ENTRY(window_spread),
    ENTRY(window_sum),
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_loops", "Loops over float32 arrays; see the .c files.", 0, functions,
};

PyMODINIT_FUNC PyInit__loops(void) { return PyModuleDef_Init(&definition); }
