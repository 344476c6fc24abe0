// SSE
