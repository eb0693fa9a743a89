"""企业自行维护的信息: what an enterprise says of itself, beside what the register says of it (ENT-02)."""
