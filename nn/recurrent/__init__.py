"""Recurrent layers: functions of one layer in one direction, cells, and stacks of layers."""

from .cells import GRUCell, LSTMCell, RNNCell
from .gru import gru, gru_cell
from .layers import GRU, LSTM, RNN
from .lstm import lstm, lstm_cell
from .rnn import rnn, rnn_cell

__all__ = [
    "GRU",
    "GRUCell",
    "LSTM",
    "LSTMCell",
    "RNN",
    "RNNCell",
    "gru",
    "gru_cell",
    "lstm",
    "lstm_cell",
    "rnn",
    "rnn_cell",
]
